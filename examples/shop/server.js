// Puts the parts together, listens, and stops without losing a message.

import "./env.js";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";

import { createApp } from "./app.js";
import { createConsent } from "./consent.js";
import { openDatabase } from "./database.js";
import { createProvider } from "./provider.js";
import { createReplies } from "./replies.js";
import { createShop } from "./shop.js";
import { createSms } from "./sms.js";

const { ORDERS_NUMBER, OFFERS_NUMBER, INBOX_FILE, SHOP_FILE, PORT } = process.env;

const provider = createProvider();
const database = openDatabase(SHOP_FILE ?? "shop.db");
const consent = createConsent(database);
const shop = createShop(database);
const replies = createReplies({ database, consent, provider });
const inbox = sqliteInbox({ file: INBOX_FILE ?? "inbox.db" });
const numbers = { orders: ORDERS_NUMBER ?? "+919812345678", offers: OFFERS_NUMBER ?? "+919812345679" };
const sms = createSms({ inbox, numbers, consent, shop, replies, log: console });

if (process.env.NODE_ENV !== "production") {
  shop.addOrder("4711", "+919876543210", "on its way");
  for (const code of ["FIRST10", "SECOND10"]) shop.addCoupon(code);
}

const server = createApp({ sms, inbox, log: console }).listen(Number(PORT ?? 3000), (error) => {
  if (error) throw error;
  console.log(`Listening at http://localhost:${server.address().port}/sms`);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await sms.close(); // new callbacks get 503; what runs finishes, the rest waits in the file
    server.close(() => database.close());
  });
}
