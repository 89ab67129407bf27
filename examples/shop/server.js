// Puts the parts together, listens, and stops without losing a message.

import "./env.js";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";

import { createApp } from "./app.js";
import { createConsent } from "./consent.js";
import { openDatabase } from "./database.js";
import { DRAIN_MS, endBySignal } from "./end.js";
import { numbers } from "./numbers.js";
import { createProvider } from "./provider.js";
import { createReplies } from "./replies.js";
import { createShop } from "./shop.js";
import { createSms } from "./sms.js";

const { INBOX_FILE, SHOP_FILE, PORT } = process.env;

const provider = createProvider();
const database = openDatabase(SHOP_FILE ?? "shop.db");
const consent = createConsent(database);
const shop = createShop(database);
const replies = createReplies({ database, consent, provider });
const inbox = sqliteInbox({ file: INBOX_FILE ?? "inbox.db" });
const sms = createSms({ inbox, numbers, consent, shop, replies, log: console });

if (process.env.NODE_ENV !== "production") {
  shop.addOrder("4711", "+919876543210", "on its way");
  for (const code of ["FIRST10", "SECOND10"]) shop.addCoupon(code);
}

const server = createApp({ sms, inbox, log: console }).listen(Number(PORT ?? 3000), (error) => {
  if (error) throw error;
  const url = `http://localhost:${server.address().port}/sms`;
  const send = `npx express-kaleyra-sms send "TRACK 4711" --recipient "${numbers.orders}" --url ${url}`;
  // The other terminal does not have the variables of .env.
  const withToken = `(set -a; . ./.env; ${send} --header X-Callback-Token=env:CALLBACK_TOKEN)`;
  console.log(`Listening at ${url}. Try it from another terminal, in this folder:`);
  console.log(process.env.CALLBACK_TOKEN === undefined ? send : withToken);
});

endBySignal({
  sms,
  drainMs: DRAIN_MS,
  // What ran has finished, and the rest waits in the file.
  release: () => server.close(() => database.close()),
});
