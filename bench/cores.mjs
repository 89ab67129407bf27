// Which two cores the server and the load run on, and how a process is kept on one.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** `0-2,5` is 0, 1, 2 and 5. */
function readList(text) {
  return text
    .trim()
    .split(",")
    .flatMap((range) => {
      const [first, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

function siblingsOf(core) {
  try {
    return readList(readFileSync(`/sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`, "utf8"));
  } catch {
    return [core];
  }
}

/** `server` and `load` are what a command line begins with; `note` is what the reader has to know. */
export function chooseCores() {
  if (spawnSync("taskset", ["--version"]).status !== 0) {
    return { server: [], load: [], note: "not pinned: there is no taskset (util-linux) here" };
  }
  const allowed = readList(/^Cpus_allowed_list:(.*)$/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
  // The last ones: the first core takes most of the machine's interrupts.
  const server = allowed.at(-1);
  const siblings = siblingsOf(server);
  const load = allowed.findLast((core) => !siblings.includes(core)) ?? allowed.findLast((core) => core !== server);
  if (load === undefined) return { server: [], load: [], note: "not pinned: there is only one core" };
  const shared = siblings.includes(load) ? ", two threads of one core" : "";
  const on = (core) => ["taskset", "-c", String(core)];
  return { server: on(server), load: on(load), note: `server on core ${server}, load on core ${load}${shared}` };
}
