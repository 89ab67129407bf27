// A process with a router on an inbox's file, which its parent freezes.
// Usage: fork("freezes.cjs", [driver, file, options as JSON])
//
// It prints "start <source>" when a handler starts. If the text is "blocks", the handler blocks the event loop while the
// file <file>-hold exists. If it is "waits", the parent's message { finish: "handled" | "failed" } ends it. With
// { send: fields as JSON } the process receives a callback, and prints "stored <source>" if it is answered 200. With the
// option `floods` it does so all the time.

const { existsSync, writeSync } = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");
const { incomingSms } = require("express-kaleyra-sms");
const { sqliteInbox } = require("express-kaleyra-sms/sqlite");

const [driver, file, options] = process.argv.slice(2);
const { floods = false, concurrency, leaseMs, thread } = JSON.parse(options);
const inbox = sqliteInbox({ file, driver, thread, leaseMs, backoffMs: 20 });
const sms = incomingSms({ inbox, concurrency, authenticate: false });

const print = (line) => writeSync(1, `${line}\n`);
const cell = new Int32Array(new SharedArrayBuffer(4));
let finish = () => undefined;

sms.on("error", () => undefined);
if (concurrency > 0) {
  sms.on("message", ({ source, text }) => {
    print(`start ${source}`);
    if (text === "blocks") while (existsSync(`${file}-hold`)) Atomics.wait(cell, 0, 0, 2);
    if (text !== "waits") return undefined;
    return new Promise((resolve, reject) => {
      finish = (how) => (how === "handled" ? resolve() : reject(new Error("no")));
    });
  });
}

async function send(body) {
  const { status, message } = await sms.receive({ method: "POST", body });
  if (status === 200) print(`stored ${message.source}`);
}

async function flood() {
  const fields = { recipient: "919812345678", message: "flood" };
  for (let n = 1_000_000; ; n += 8) {
    const numbers = Array.from({ length: 8 }, (_, i) => `9198${n + i}`);
    await Promise.all(numbers.map((source) => send(JSON.stringify({ ...fields, id: source, source }))));
    await sleep(1);
  }
}

process.on("message", (told) => {
  if (told.send !== undefined) void send(told.send);
  else finish(told.finish);
});
process.on("disconnect", () => process.exit());
if (floods) void flood();
print("ready");
