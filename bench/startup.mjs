// How long a whole process takes that loads something and ends, and what else that loads.

import { spawnSync } from "node:child_process";

const PROGRAMS = {
  nothing: "",
  ours: 'require("express-kaleyra-sms")',
  express: 'require("express")',
  both: 'require("express"); require("express-kaleyra-sms")',
};

function run(pinned, args) {
  const [command, ...rest] = [...pinned, process.execPath, ...args];
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(command, rest, { cwd: import.meta.dirname, encoding: "utf8" });
  const ms = performance.now() - begun;
  if (status !== 0) throw new Error(`node ${args.join(" ")} failed: ${stderr}`);
  return { ms, stdout };
}

/** Milliseconds of each program, a few times over, one after the other; the first time, which fills the disk's cache, does not count. */
export function timeStartups(pinned, times) {
  const ms = Object.fromEntries(Object.keys(PROGRAMS).map((name) => [name, []]));
  for (let time = 0; time <= times; time++) {
    for (const [name, program] of Object.entries(PROGRAMS)) {
      const took = run(pinned, ["-e", program]).ms;
      if (time > 0) ms[name].push(took);
    }
  }
  return ms;
}

/** Those of Express, body-parser and Ajv that loading the package loads. */
export function heavyPackagesLoaded() {
  const { stdout } = run([], ["-p", `${PROGRAMS.ours}; Object.keys(require.cache).join("\\n")`]);
  return ["express", "body-parser", "ajv"].filter((name) => stdout.includes(`/node_modules/${name}/`));
}
