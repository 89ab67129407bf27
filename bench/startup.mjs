// How long a whole process takes that loads something and ends, over one that does nothing, in pairs.

import { spawnSync } from "node:child_process";

import { median, middle, rounded } from "./figures.mjs";

export const PROGRAMS = {
  ours: 'require("express-kaleyra-sms")',
  express: 'require("express")',
  both: 'require("express"); require("express-kaleyra-sms")',
};

function run(pinned, program) {
  const [command, ...args] = [...pinned, process.execPath, "-e", program];
  const begun = performance.now();
  const { status, stderr } = spawnSync(command, args, { cwd: import.meta.dirname, encoding: "utf8" });
  if (status !== 0) throw new Error(`node -e '${program}' failed: ${stderr}`);
  return performance.now() - begun;
}

/** The first time, which fills the disk's cache, does not count. */
export function timeStartups(pinned, times) {
  const nothing = [];
  const over = {};
  for (const [name, program] of Object.entries(PROGRAMS)) {
    run(pinned, program);
    const pairs = Array.from({ length: times }, () => [run(pinned, program), run(pinned, "")]);
    nothing.push(...pairs.map(([, empty]) => empty));
    over[name] = middle(pairs.map(([loading, empty]) => loading - empty));
  }
  return { nothing: { median: rounded(median(nothing)) }, ...over };
}
