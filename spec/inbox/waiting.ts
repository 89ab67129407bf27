// Waits for another process, or for a timer of the package.

import { setTimeout } from "node:timers/promises";

/** Waits for a time, to see that something does not happen. */
export const waitFor = (ms: number): Promise<void> => setTimeout(ms);

/** Waits until the condition is true. @throws Error after `limitMs` milliseconds */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 5_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Not within ${limitMs} ms: ${String(condition)}`);
    await setTimeout(5);
  }
}
