// Which executable is Node of a major version.

import { spawnSync } from "node:child_process";

/** `{ node, version }`, or `{ missing }`: why there is none. */
export function findNode(major) {
  if (process.versions.node.startsWith(`${major}.`)) return { node: process.execPath, version: process.versions.node };
  const print = "JSON.stringify({ node: process.execPath, version: process.versions.node })";
  const { status, stdout } = spawnSync("npx", ["-y", `node@${major}`, "-p", print], { encoding: "utf8" });
  return status === 0 ? JSON.parse(stdout) : { missing: `\`npx node@${major}\` does not run here` };
}
