// Builds what makes a process's disk slow, with `cc`.

import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";

/** `{ env }` gives the environment of a process on a disk that is so much slower; `{ missing }`: why there is none. */
export function buildSlowDisk(folder) {
  const library = join(folder, "slow-fsync.so");
  const source = join(import.meta.dirname, "slow-fsync.c");
  const { error, status } = spawnSync("cc", ["-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (error !== undefined) return { missing: "there is no `cc` here" };
  if (status !== 0) return { missing: "`cc` does not build slow-fsync.c here" };
  chmodSync(library, 0o755);
  return { env: (ms) => (ms === 0 ? {} : { LD_PRELOAD: library, SLOW_FSYNC_MS: String(ms) }) };
}
