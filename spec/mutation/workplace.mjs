// A temporary copy of the package, in which the specs run against a mutant.

import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { clearTimeout, setTimeout } from "node:timers";

const ROOT = join(import.meta.dirname, "../..");
const JEST = createRequire(import.meta.url).resolve("jest/bin/jest");
const ONE_BY_ONE = join(import.meta.dirname, "one-by-one.mjs");

export class Workplace {
  #base = realpathSync(mkdtempSync(join(tmpdir(), "mutation-")));
  #running;
  /** The folder of the copy. */
  root = join(this.#base, "package");
  /** The specs' folder for temporary files, removed with the copy. */
  temporary = join(this.#base, "tmp");

  constructor() {
    mkdirSync(this.temporary);
    cpSync(ROOT, this.root, {
      recursive: true,
      filter: (from) => ![".git", "node_modules"].includes(basename(from)),
    });
    // The package depends on itself: the copy must depend on the copy.
    mkdirSync(join(this.root, "node_modules"));
    for (const name of readdirSync(join(ROOT, "node_modules"))) {
      const installed = join(ROOT, "node_modules", name);
      const target = realpathSync(installed) === realpathSync(ROOT) ? this.root : installed;
      symlinkSync(target, join(this.root, "node_modules", name));
    }
  }

  /**
   * Runs specs until one fails.
   *
   * @param limitOf - how long a spec may take, in milliseconds
   * @returns the `spec` that failed or took too long, if one did
   */
  run(specs, limitOf, env = {}) {
    const args = ["--runInBand", "--forceExit", "--testSequencer", ONE_BY_ONE, "--reporters", ONE_BY_ONE];
    const paths = specs.map((spec) => join(this.root, spec));
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [JEST, ...args, "--runTestsByPath", ...paths], {
        cwd: this.root,
        env: { ...process.env, ...env, TMPDIR: this.temporary },
        stdio: ["ignore", "ignore", "ignore", "ipc"],
        // A process group of its own, so that the processes that the specs start are killed with it.
        detached: true,
      });
      this.#running = child;
      let timer;
      let ended;
      const end = (outcome, spec) => {
        ended ??= { outcome, spec: relative(this.root, spec) };
        this.#end();
      };
      child.on("message", ({ started, failed }) => {
        clearTimeout(timer);
        if (failed !== undefined) end("killed", failed);
        else timer = setTimeout(() => end("timed out", started), limitOf(relative(this.root, started)));
      });
      child.once("exit", (code) => {
        clearTimeout(timer);
        this.#end();
        this.#running = undefined;
        resolve(ended ?? { outcome: code === 0 ? "survived" : "killed" });
      });
    });
  }

  #end() {
    try {
      process.kill(-this.#running?.pid, "SIGKILL");
    } catch {
      // All processes of the group have ended, or none was started.
    }
  }

  remove() {
    this.#end();
    rmSync(this.#base, { recursive: true, force: true, maxRetries: 5 });
  }
}
