// Runs the property tests of the readers and of the keywords for a time, from a seed:
// `npm run fuzz -- --seconds 300 --seed 1`.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";

const { values: given } = parseArgs({
  options: {
    seconds: { type: "string", default: "180" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
console.log(
  `${given.seconds} seconds, seed ${given.seed}; ` +
    `to repeat: npm run fuzz -- --seed ${given.seed} --seconds ${given.seconds}`,
);
const jest = createRequire(import.meta.url).resolve("jest/bin/jest");
const { status } = spawnSync(process.execPath, [jest, "spec/fuzz"], {
  stdio: "inherit",
  env: { ...process.env, FUZZ_SECONDS: given.seconds, FUZZ_SEED: given.seed },
});
process.exitCode = status ?? 1;
