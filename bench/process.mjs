// A process of the benchmark: on a core of its own, and heard one message at a time.

import { spawn } from "node:child_process";
import { on } from "node:events";

/**
 * @param pinned - what keeps it on its core, from `chooseCores`
 * @param args - of node
 * @param signal - ends the wait for a message
 * @param options - `node`: the executable, by default the one that runs the benchmark; `env`: beside the environment
 */
export function startProcess(pinned, args, signal, { node = process.execPath, env = {} } = {}) {
  const [command, ...rest] = [...pinned, node, ...args];
  const stdio = ["ignore", "inherit", "inherit", "ipc"];
  const child = spawn(command, rest, { cwd: import.meta.dirname, stdio, env: { ...process.env, ...env } });
  const messages = on(child, "message", { signal, close: ["disconnect"] });
  return {
    async next() {
      const { done, value } = await messages.next();
      if (done) throw new Error(`node ${args.join(" ")} ended too early.`);
      return value[0];
    },
    /** Sends a question, and resolves with the answer. */
    ask(question) {
      child.send(question);
      return this.next();
    },
    end: () => child.kill("SIGKILL"),
  };
}

/** What a script of the benchmark reports, that measures something in a process of its own. */
export async function resultOf(pinned, args, patienceMs) {
  const one = startProcess(pinned, args, AbortSignal.timeout(patienceMs));
  try {
    return await one.next();
  } finally {
    one.end();
  }
}
