// By how much the log of an SQLite inbox grows with each message, while another process reads an old state of the file.

import { statSync } from "node:fs";
import { incomingSms } from "express-kaleyra-sms";

import { idOf, sourceOf, TEXT } from "./callback.mjs";
import { openDatabase, openInbox } from "./inboxes.mjs";

const MESSAGES = 1_000;
const TOGETHER = 100;

const { what, place } = JSON.parse(process.argv[2]);
if (what === "read") await read();
else await write();

/** Reads the file as it is now, until this process is ended. */
async function read() {
  const reader = await openDatabase(place.file);
  reader.exec("BEGIN");
  reader.prepare("SELECT COUNT(*) FROM message").all();
  process.send("reads");
  process.on("message", () => reader.exec("COMMIT"));
}

async function write() {
  const logger = { warn: console.warn, error: console.error };
  const sms = incomingSms({ inbox: await openInbox("sqlite", place), authenticate: false, logger });
  let received = 0;
  let handled = 0;
  let allHandled;
  sms.on("message", () => {
    if (++handled === received) allHandled();
  });

  /** Stores and handles so many at once. */
  const receive = async (count) => {
    const ended = new Promise((resolve) => (allHandled = resolve));
    const receipts = Array.from({ length: count }, () => {
      const n = received++;
      const fields = { id: idOf(n), source: sourceOf(n), recipient: "+919812345678", message: TEXT, keyword: "SAMPLE" };
      return sms.receive({ method: "POST", body: JSON.stringify(fields) });
    });
    await Promise.all([ended, ...receipts]);
  };

  /** Bytes of the log for each message. */
  const growth = async (together) => {
    const logBytes = () => statSync(`${place.file}-wal`).size;
    const before = logBytes();
    for (let n = 0; n < MESSAGES; n += together) await receive(together);
    return (logBytes() - before) / MESSAGES;
  };

  await receive(1);
  process.send("made");
  process.once("message", async () => {
    process.send({ aloneBytes: await growth(1), together: TOGETHER, togetherBytes: await growth(TOGETHER) });
  });
}
