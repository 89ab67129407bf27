#!/usr/bin/env node
// The command: gives a command line to run.ts, and ends the process as its exit code says.

import { EXIT } from "./failure.js";
import { run } from "./run.js";
import { VERBS } from "./verbs.js";

/** How long a verb may take to end what it began once it is interrupted. In milliseconds. */
const GRACE_MS = 3_000;

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    interruption.abort();
    setTimeout(() => process.exit(EXIT.interrupted), GRACE_MS).unref();
  });
}

process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  // Who read the output has gone, as `head -1` does: there is nobody left to work for.
  if (code === "EPIPE") process.exit(EXIT.done);
  process.stderr.write(
    `The output cannot be written (${code ?? "no reason given"}).\nLook at the disk that it goes to.\n`,
  );
  process.exit(EXIT.unreachable);
});
process.stderr.on("error", () => undefined);

// Taken now: what a module of the user's prints later goes to stderr.
const print = process.stdout.write.bind(process.stdout);

void run(process.argv.slice(2), VERBS, process, interruption.signal).then((exitCode) => {
  // What is written may still be on its way. A module of the user's may keep the process alive: it does not wait for
  // it. An error of stdout comes in this turn.
  print("", () => setImmediate(() => process.exit(exitCode)));
});
