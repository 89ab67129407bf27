// For the person who decides what was meant: lists the texts, and opts somebody out.

import "./env.js";
import { createConsent } from "./consent.js";
import { openDatabase } from "./database.js";

const USAGE = `npm run review                      what a person should read
npm run review -- opt-out <source>  end all messages to this number
npm run review -- done <key>        this one was read`;

const database = openDatabase(process.env.SHOP_FILE ?? "shop.db");
const [command, argument] = process.argv.slice(2);
if (command === undefined) {
  for (const { message_key, source, text } of database.prepare("SELECT * FROM review ORDER BY received_at").all())
    console.log(message_key, source, JSON.stringify(text));
} else if (command === "opt-out" && argument !== undefined) {
  createConsent(database).optOut(argument, new Date().toISOString());
} else if (command === "done" && argument !== undefined) {
  database.prepare("DELETE FROM review WHERE message_key = ?").run(argument);
} else {
  console.log(USAGE);
}
database.close();
