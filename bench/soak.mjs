// Sends for ten minutes to an inbox in SQLite, as much as it takes, and prints the server's memory minute by minute.

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { chooseCores } from "./cores.mjs";
import { count, megabytes, table } from "./figures.mjs";
import { startProcess } from "./process.mjs";
import { startRedis } from "./redis.mjs";

const { values: given } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, inbox: { type: "string", default: "sqlite" } },
});
const minutes = Number(given.minutes);
const cores = chooseCores();
const folder = mkdtempSync(join(tmpdir(), "bench-soak-"));
const redis = given.inbox === "bullmq" ? await startRedis(folder, cores.load) : undefined;
const file = join(folder, "inbox.db");
const measured = { server: "inbox", options: { inbox: given.inbox, file, port: redis?.port } };
const signal = AbortSignal.timeout((minutes + 2) * 60_000);

const serving = startProcess(cores.server, ["--expose-gc", "serve.mjs", JSON.stringify(measured)], signal);
const { port } = await serving.next();
const load = { ...measured, port, warmUpMs: 2_000, measureMs: minutes * 60_000 };
const loading = startProcess(cores.load, ["load.mjs", JSON.stringify(load)], signal);
await loading.next();

const rows = [];
for (let minute = 0; minute <= minutes; minute++) {
  if (minute > 0) await new Promise((resolve) => setTimeout(resolve, 60_000));
  serving.send("memory");
  const { used, rss, handled } = await serving.next();
  const onDisk = given.inbox === "sqlite" ? [file, `${file}-wal`].map((one) => statSync(one).size) : [0];
  rows.push([String(minute), count(handled), megabytes(used), megabytes(rss), onDisk.map(megabytes).join(" + ")]);
  process.stderr.write(`${rows.at(-1).join("  ")}\n`);
}
loading.end();
serving.end();
redis?.stop();
console.log(`${cores.note}; Node ${process.versions.node}; ${given.inbox}`);
console.log(
  table(["minute", "handled", "heap and buffers, after a collection", "resident size", "file and log"], rows),
);
rmSync(folder, { recursive: true });
