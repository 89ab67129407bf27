// A server in a process of its own: one of the examples, copied out as its users do, or draining-server.cjs.

import { spawn, type ChildProcessByStdio } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import ts from "typescript";

import { ended, temporaryFolder } from "../inbox/temporary";
import { until } from "../inbox/waiting";

const ROOT = join(__dirname, "../..");

/** How it ended: `0, null` if by itself, and well. */
export type Exit = readonly [code: number | null, signal: NodeJS.Signals | null];

export class AppProcess {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #output = "";
  readonly exited: Promise<Exit>;

  private constructor(folder: string, script: string, args: readonly string[], env: Record<string, string>) {
    const own = { NODE_ENV: "development", PORT: "0", NODE_NO_WARNINGS: "1", ...env };
    this.#child = spawn(process.execPath, [script, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...own },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    this.exited = new Promise((resolve) => this.#child.once("close", (code, signal) => resolve([code, signal])));
    ended.push(() => {
      this.#child.kill("SIGKILL");
      return this.exited;
    });
  }

  /** Resolves when it has printed `begun`. It is killed after the spec. */
  static async start(
    folder: string,
    script: string,
    { args = [], env = {}, begun = "Listening at" }: { args?: string[]; env?: Record<string, string>; begun?: string },
  ): Promise<AppProcess> {
    const app = new AppProcess(folder, script, args, env);
    await until(() => app.output.includes(begun), 30_000);
    return app;
  }

  get output(): string {
    return this.#output;
  }

  get lines(): string[] {
    return this.#output.split("\n");
  }

  /** The address of the router, on the loopback interface of IPv4. */
  get url(): string {
    return `http://127.0.0.1:${/Listening at http:\/\/[^:]*:(\d+)/.exec(this.#output)?.[1]}/sms`;
  }

  async health(): Promise<{
    status: number;
    body: { ready: boolean; reasons: string[]; inbox?: { waiting: number } };
  }> {
    const response = await fetch(this.url.replace("/sms", "/health"));
    return { status: response.status, body: (await response.json()) as never };
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** Copies an example to a folder of its own, which is removed after the spec. */
export function copyOut(example: string): string {
  const folder = temporaryFolder();
  const from = join(ROOT, "examples", example);
  cpSync(from, folder, { recursive: true, filter: (path) => !/node_modules|dist|\.env$|\.db/.test(path) });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  if (example === "quickstart") transpile(join(folder, "src"), join(folder, "dist"));
  return folder;
}

/** Its types are checked by `npm run types`. */
function transpile(from: string, to: string): void {
  mkdirSync(to);
  for (const file of readdirSync(from)) {
    const { outputText } = ts.transpileModule(readFileSync(join(from, file), "utf8"), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    writeFileSync(join(to, file.replace(/\.ts$/, ".js")), outputText);
  }
}
