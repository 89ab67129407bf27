// A process of the benchmark: on a core of its own, and heard one message at a time.

import { spawn } from "node:child_process";
import { on } from "node:events";

/**
 * @param pinned - what keeps it on its core, from `chooseCores`
 * @param args - of node
 * @param signal - ends the wait for a message
 */
export function startProcess(pinned, args, signal) {
  const [command, ...rest] = [...pinned, process.execPath, ...args];
  const child = spawn(command, rest, { cwd: import.meta.dirname, stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const messages = on(child, "message", { signal, close: ["disconnect"] });
  return {
    async next() {
      const { done, value } = await messages.next();
      if (done) throw new Error(`node ${args.join(" ")} ended too early.`);
      return value[0];
    },
    send: (message) => child.send(message),
    end: () => child.kill("SIGKILL"),
  };
}
