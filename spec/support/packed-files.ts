// The files that npm would publish from a folder. Nothing is built, since other specs run the build meanwhile.

import { execFileSync } from "node:child_process";

export function packedFiles(folder: string): string[] {
  const output = execFileSync("npm", ["pack", "--dry-run", "--ignore-scripts", "--json"], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    shell: process.platform === "win32",
  });
  const [packed] = JSON.parse(output) as Array<{ files: Array<{ path: string }> }>;
  return (packed?.files ?? []).map(({ path }) => path);
}
