// Two receivers and two workers on this machine, to try it. In production each is a service of its own.

import "./env.js";
import { spawn } from "node:child_process";

const port = Number(process.env.PORT ?? 3000);
// Two workers cannot listen on one port.
const workerPort = Number(process.env.WORKER_PORT ?? 0);
const run = (script, env) => spawn(process.execPath, [script], { stdio: "inherit", env: { ...process.env, ...env } });

const processes = [
  run("receiver.js", { PORT: `${port}` }),
  run("receiver.js", { PORT: `${port + 1}` }),
  run("worker.js"),
  run("worker.js", workerPort > 0 ? { WORKER_PORT: `${workerPort + 1}` } : {}),
];

const stop = (signal) => {
  for (const child of processes) child.kill(signal);
};
for (const child of processes) {
  child.once("exit", (code) => {
    if (code === 0) return;
    process.exitCode = 1;
    stop("SIGINT"); // one could not start, or died
  });
}
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
