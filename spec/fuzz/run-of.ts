// How long a property test runs: as a spec it is short and uses a fixed seed, under `npm run fuzz` it runs for a time.

import { expect } from "@jest/globals";
import fc, { type Parameters } from "fast-check";

const { FUZZ_SECONDS, FUZZ_SEED } = process.env;
const SECONDS = Number(FUZZ_SECONDS ?? 0);

/** Whether `npm run fuzz` runs the tests. */
export const isLongRun = FUZZ_SECONDS !== undefined;

export const TIMEOUT_MS = SECONDS * 1_000 + 60_000;

/** The property tests of all files, of which each gets the same share of the time. */
const TESTS = 6;

/** @param spec - the seed and the number of runs as a spec */
export function runOf(spec: { readonly seed: number; readonly numRuns: number }): Parameters<unknown> {
  if (!isLongRun) return spec;
  return {
    seed: Number(FUZZ_SEED),
    numRuns: Infinity,
    maxSkipsPerRun: Infinity,
    plugins: [fc.interruptAfterTimeLimit((SECONDS * 1_000) / TESTS)],
  };
}

/** Expects that a run has met each case more than a hundred times. */
export function expectAll(seen: Readonly<Record<string, number>>): void {
  if (isLongRun) console.log(seen);
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(100);
}
