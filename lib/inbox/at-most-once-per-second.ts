// What lasts is told once a second, not as often as it is seen.

const TOLD_MS = 1_000;

/** The same as `tell`, but for calls that follow one within a second. */
export function atMostOncePerSecond(report: (cause: unknown) => void): (cause: unknown) => void {
  let toldAt = -Infinity;
  return (cause) => {
    const now = performance.now();
    if (now - toldAt < TOLD_MS) return;
    toldAt = now;
    report(cause);
  };
}
