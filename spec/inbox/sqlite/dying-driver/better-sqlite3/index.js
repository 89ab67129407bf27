// Another driver under the name of better-sqlite3, whose thread ends, fails or hangs when a spec orders it.
// The order is in <file>-order, as JSON: { at, when: "before" | "after", how, isKept, others }. It holds for the next
// statement that begins with `at`, or for opening the file; with `others`, after so many, and with `isKept`, for every
// one. Each start is noted in <file>-starts.

const { appendFileSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { isMainThread } = require("node:worker_threads");
const { setTimeout } = require("node:timers");

const cell = new Int32Array(new SharedArrayBuffer(4));

function realDriver() {
  try {
    return require("libsql");
  } catch {
    return process.getBuiltinModule("node:sqlite").DatabaseSync;
  }
}

const WAYS = {
  exit: () => process.exit(3),
  throw: () =>
    process.nextTick(() => {
      throw new RangeError("919876500001 said secret");
    }),
  later: () => setTimeout(() => process.exit(3), 100),
  memory: () => {
    for (const filled = []; ;) filled.push(new Array(10_000).fill(0.5).map(String));
  },
  hang: (order) => {
    while (existsSync(order)) Atomics.wait(cell, 0, 0, 2);
  },
  // In a call of the system, as for a disk that does not answer: until somebody opens the other end of this pipe.
  block: (order) => openSync(`${order}-pipe`),
};

module.exports = class Database {
  #real;
  #order;
  constructor(file) {
    this.#order = `${file}-order`;
    if (!isMainThread) {
      appendFileSync(`${file}-starts`, `${Date.now()}\n`);
      this.#obey("open", "before");
    }
    this.#real = new (realDriver())(file);
  }
  exec(sql) {
    this.#obey(sql, "before");
    const result = this.#real.exec(sql);
    this.#obey(sql, "after");
    return result;
  }
  prepare(sql) {
    return this.#real.prepare(sql);
  }
  close() {
    return this.#real.close();
  }
  #obey(sql, now) {
    if (isMainThread || !existsSync(this.#order)) return;
    const order = JSON.parse(readFileSync(this.#order, "utf8"));
    const { at, when, how, isKept, others = 0 } = order;
    if (when !== now || !sql.startsWith(at)) return;
    if (others > 0) return writeFileSync(this.#order, JSON.stringify({ ...order, others: others - 1 }));
    if (!isKept && how !== "hang") rmSync(this.#order);
    if (how in WAYS) WAYS[how](this.#order);
    else this.#real.exec(how);
  }
};
