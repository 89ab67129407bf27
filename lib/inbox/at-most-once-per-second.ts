// Limits the reports of a failure that lasts: at most one a second.

const INTERVAL_MS = 1_000;

/** @returns a function that calls `report`, unless it has called it within the last second */
export function atMostOncePerSecond(report: (cause: unknown) => void): (cause: unknown) => void {
  let reportedAt = -Infinity;
  return (cause) => {
    const now = performance.now();
    if (now - reportedAt < INTERVAL_MS) return;
    reportedAt = now;
    report(cause);
  };
}
