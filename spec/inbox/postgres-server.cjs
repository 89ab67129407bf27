// A Postgres in a thread of its own, since jest cannot load it. Answers { id, sql, values } with { id, rows } or
// { id, error }. The error has the properties of an error of `pg`.

const { parentPort } = require("node:worker_threads");
const { PGlite } = require("@electric-sql/pglite");

const database = new PGlite();
parentPort.on("message", async ({ id, sql, values }) => {
  try {
    const [last] = values === undefined ? (await database.exec(sql)).slice(-1) : [await database.query(sql, values)];
    parentPort.postMessage({ id, rows: last?.rows ?? [] });
  } catch (error) {
    const { message, code, detail } = error;
    parentPort.postMessage({ id, error: { message, code, detail } });
  }
});
