// Which executable is Node of a major version.

import { spawnSync } from "node:child_process";

/** `{ node, version }`, or `{ missing }`: why there is none. */
export function findNode(major) {
  if (process.versions.node.startsWith(`${major}.`)) return { node: process.execPath, version: process.versions.node };
  const print = "JSON.stringify({ node: process.execPath, version: process.versions.node })";
  // Of the `npx` that may have started this process: it would be taken for what this one is to run.
  const env = { ...process.env, npm_config_package: "", npm_config_call: "" };
  const { status, stdout } = spawnSync("npx", ["-y", `node@${major}`, "-p", print], { encoding: "utf8", env });
  return status === 0 ? JSON.parse(stdout) : { missing: `\`npx node@${major}\` does not run here` };
}
