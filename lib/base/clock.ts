// The instant of arrival.

let lastMs = -1;
let lastInstant = "";

/** The present instant, ISO 8601 in UTC. Written once for all callbacks of a millisecond. */
export function now(): string {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastInstant = new Date(ms).toISOString();
  }
  return lastInstant;
}
