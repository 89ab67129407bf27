// The clock that stamps the arrival of callbacks.

let lastMs = -1;
let lastInstant = "";

/** Returns the current instant, ISO 8601 in UTC. Formatted once for all callbacks of one millisecond. */
export function now(): string {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastInstant = new Date(ms).toISOString();
  }
  return lastInstant;
}
