// Runs the user's module in a process of its own: it may loop, end that process, or print to its stdout.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { Readable } from "node:stream";

import { linesOf } from "./lines.js";
import type { Asked, Report } from "./report.js";

/**
 * What the process reports, until it has ended. Its stdin is the command's, and what the module prints is on stderr.
 */
export async function* reportsOf(asked: Asked, signal: AbortSignal): AsyncGenerator<Report> {
  const args = [...process.execArgv, join(__dirname, "child.js"), JSON.stringify(asked)];
  const child = spawn(process.execPath, args, {
    // The order of REPORTS_FD and LIFELINE_FD.
    stdio: ["inherit", 2, 2, "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<void>((resolve, reject) => {
    // An interruption is an error, too, before the process has ended.
    child.once("exit", () => resolve()).on("error", (error) => (signal.aborted ? undefined : reject(error)));
  });
  ended.catch(() => undefined);
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  try {
    const [, , , channel] = child.stdio;
    if (channel instanceof Readable)
      for await (const line of linesOf(channel)) {
        const report = reportOf(line);
        if (report !== undefined) yield report;
      }
    // A terminal interrupts both processes: the caller looks whether it did once this one has ended.
    await ended;
  } finally {
    process.off("exit", kill);
    kill();
  }
}

/** Nothing for a line that was cut, when the process was killed. */
function reportOf(line: string): Report | undefined {
  try {
    // Only child.ts writes there.
    return JSON.parse(line) as Report;
  } catch {
    return undefined;
  }
}
