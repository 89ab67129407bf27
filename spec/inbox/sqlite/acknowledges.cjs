// A process that stores messages until it is killed. After each acknowledgement, it appends a line to a file: how many
// messages are acknowledged, how many pages the file's log then has, and the log's salts.
// Usage: node acknowledges.cjs <driver> <file> <acknowledgements> <message as JSON>

const { Buffer } = require("node:buffer");
const { createHash } = require("node:crypto");
const { createRequire } = require("node:module");
const { appendFileSync, openSync, readSync } = require("node:fs");
const { sqliteInbox } = require("express-kaleyra-sms/sqlite");

const [driver, file, acknowledgements, message] = process.argv.slice(2);
const loaded = createRequire(module.filename)(driver);
const Database = loaded.DatabaseSync ?? loaded;
const database = new Database(file);
const inbox = sqliteInbox({ database });
// More often than by default: power cuts then fall into the copying, too.
database.exec("PRAGMA wal_autocheckpoint = 300");
const sample = JSON.parse(message);
const { signal } = new globalThis.AbortController();

// The log's index, of which this process is the only writer: https://sqlite.org/walformat.html#walidxfmt
// It stays open: closing it would release SQLite's locks.
const index = openSync(`${file}-shm`, "r");
const header = Buffer.alloc(48);

async function store() {
  for (let count = 0; ;) {
    const numbers = Array.from({ length: 1 + Math.floor(Math.random() * 60) }, (_, n) => count + n);
    await Promise.all(
      numbers.map((number) => {
        const key = createHash("sha256").update(`${number}`).digest("base64url");
        return inbox.store({ ...sample, key, source: key }, signal);
      }),
    );
    count += numbers.length;
    readSync(index, header, 0, header.length, 0);
    appendFileSync(acknowledgements, `${count} ${header.readUInt32LE(16)} ${header.toString("hex", 32, 40)}\n`);
  }
}
void store();
