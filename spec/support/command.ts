// Runs the command as a process of its own: all three streams are pipes.

import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";

export const MAIN = join(__dirname, "..", "..", "dist", "command", "main.js");

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface HowToRun {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What it reads; `null` leaves its stdin open. Default: nothing. */
  readonly input?: string | null;
}

/** Runs it to its end. */
export async function command(args: readonly string[], how: HowToRun = {}): Promise<Ran> {
  return startCommand(args, how).ended;
}

/** The object that `--json` prints. */
export async function commandJson(args: readonly string[], how: HowToRun = {}): Promise<Ran & { json: unknown }> {
  const ran = await command([...args, "--json"], how);
  return { ...ran, json: JSON.parse(ran.stdout) as unknown };
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  /** Waits until what was printed matches. Rejects if it ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

export function startCommand(args: readonly string[], { env = {}, cwd, input = "" }: HowToRun = {}): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, NODE_ENV: undefined, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  const append = (more: Readonly<Partial<Record<"out" | "err", string>>>): void => {
    stdout += more.out ?? "";
    stderr += more.err ?? "";
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding("utf8").on("data", (out: string) => append({ out }));
  child.stderr.setEncoding("utf8").on("data", (err: string) => append({ err }));
  child.stdin.on("error", () => undefined);
  if (input !== null) child.stdin.end(input);
  const ended = new Promise<Ran>((resolve) => {
    child.on("close", (code) => {
      resolve({ code, stdout, stderr });
      append({});
    });
  });
  return {
    child,
    ended,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(`${stdout}\n${stderr}`);
          if (found === null && child.exitCode === null) return;
          listeners.delete(look);
          if (found !== null) resolve(found);
          else reject(new Error(`ended with ${child.exitCode}, and never printed ${pattern}: ${stdout}${stderr}`));
        };
        listeners.add(look);
        look();
      }),
  };
}
