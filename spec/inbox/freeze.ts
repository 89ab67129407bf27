// A process that can be frozen, as hosts freeze one after its answer, and thawed.

import { execFileSync, fork, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { ended } from "./temporary";
import { until } from "./waiting";

/** The state of a process: `T` if it is stopped. */
function stateOf(pid: number): string {
  if (!existsSync("/proc/self/stat"))
    return execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" })
      .trim()
      .charAt(0);
  return readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .charAt(0);
}

/** Resolves when the process runs no instruction any more. */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  await until(() => stateOf(pid) === "T");
}

export function thaw(pid: number): void {
  process.kill(pid, "SIGCONT");
}

/** A process that runs sqlite/freezes.cjs. It ends with the spec. */
export class FrozenProcess {
  readonly #child: ChildProcess;
  #output = "";

  constructor(driver: string, file: string, options: Readonly<Record<string, unknown>>) {
    this.#child = fork(join(__dirname, "sqlite/freezes.cjs"), [driver, file, JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (this.#output += chunk));
    ended.push(() => this.end());
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What stands behind a word in the lines that it printed. */
  printed(word: "start" | "stored"): string[] {
    return Array.from(this.#output.matchAll(new RegExp(`^${word} (.*)\n`, "gm")), ([, rest = ""]) => rest);
  }

  tell(message: { readonly send: string } | { readonly finish: "handled" | "failed" }): void {
    this.#child.send(message);
  }

  /** Resolves when everything that it printed has been read. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGKILL");
    await closed;
  }
}
