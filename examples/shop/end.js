// Ends the process without losing what is sent to it meanwhile.

/** Milliseconds. Read at the start: at the end, a wrong value would end the process at once. */
export const DRAIN_MS = Number(process.env.DRAIN_MS ?? 10_000);
if (!Number.isSafeInteger(DRAIN_MS) || DRAIN_MS < 0)
  throw new TypeError("DRAIN_MS must be a whole number of milliseconds, such as 10000.");

/**
 * On SIGTERM, the router handles callbacks as before for `drainMs`, since a load balancer still sends some. Then it
 * closes. Ctrl+C, or a second signal, ends the draining.
 *
 * @param release - called when the router is closed: closes the rest
 */
export function endBySignal({ sms, drainMs, release }) {
  let hasBegun = false;
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, async () => {
      const isFirst = !hasBegun;
      hasBegun = true;
      await sms.close({ drainMs: isFirst && signal === "SIGTERM" ? drainMs : 0 });
      if (isFirst) release();
    });
  }
}
