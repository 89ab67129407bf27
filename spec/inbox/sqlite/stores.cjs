// A process that stores messages until it is killed, and prints the numbers of those that were not duplicates.

const { createHash } = require("node:crypto");
const { createRequire } = require("node:module");
const { writeSync } = require("node:fs");
const { sqliteInbox } = require("express-kaleyra-sms/sqlite");

const [driver, file, message] = process.argv.slice(2);
const loaded = createRequire(module.filename)(driver);
const Database = loaded.DatabaseSync ?? loaded;
const inbox = sqliteInbox({ database: new Database(file) });
const sample = JSON.parse(message);
const { signal } = new globalThis.AbortController();

async function store() {
  for (let n = 0; ; n += 100) {
    const numbers = Array.from({ length: 100 }, (_, i) => n + i);
    const became = await Promise.all(
      numbers.map((number) => {
        const key = createHash("sha256").update(`${number}`).digest("base64url");
        return inbox.store({ ...sample, key, source: key }, signal);
      }),
    );
    writeSync(1, `${JSON.stringify(numbers.filter((_, i) => became[i] === "stored"))}\n`);
  }
}
void store();
