// Waits for what another process, or a timer of the package's, does.

import { setTimeout } from "node:timers/promises";

/** For what has no end to wait for: that something does not happen. */
export const waitFor = (ms: number): Promise<void> => setTimeout(ms);

/** Until it holds. @throws Error after `limitMs` milliseconds */
export async function until(holds: () => boolean | Promise<boolean>, limitMs = 5_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`Not within ${limitMs} ms: ${String(holds)}`);
    await setTimeout(5);
  }
}
