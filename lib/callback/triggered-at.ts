// From the provider's timestamp, which names no zone, to an instant.

import type * as Luxon from "luxon";

const FORM = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/;
/** Callbacks of one second have one timestamp, and what a zone makes of it takes longer than all else of a callback. */
const MOST_KNOWN = 1_000;

/**
 * Makes the function that turns `YYYY-MM-DD HH:MM:SS` in that zone into an ISO 8601 instant in UTC. It gives `undefined`
 * where no single instant is meant: another form, a date that does not exist, the hour that a daylight-saving change skips, and
 * the hour that it repeats.
 */
export function instantIn(timeZone: string): (timestamp: string) => string | undefined {
  // Loaded only for those who name a zone.
  const { DateTime } = require("luxon") as typeof Luxon;
  // All that Luxon's global settings decide is said here: they belong to the app.
  const options = { zone: timeZone, locale: "en-US", numberingSystem: "latn", outputCalendar: "gregory" } as const;
  const instantOf = (year: number, month: number, day: number, hour: number, minute: number, second: number) => {
    try {
      const local = DateTime.fromObject({ year, month, day, hour, minute, second }, options);
      // Luxon moves a time that the clocks skip, and takes the first of two that they repeat.
      const isMoved = local.hour !== hour || local.minute !== minute;
      return !local.isValid || isMoved || local.getPossibleOffsets().length > 1
        ? undefined
        : local.toJSDate().toISOString();
    } catch {
      // `throwOnInvalid` is set.
      return undefined;
    }
  };

  /** By all their digits: a timestamp that was cut out of a body would keep the whole of it. */
  const known = new Map<number, string | undefined>();
  const lookUp = (timestamp: string): string | undefined => {
    const [, year, month, day, hour, minute, second] = FORM.exec(timestamp) ?? [];
    if (second === undefined) return undefined;
    const digits = Number(timestamp.replace(/\D/g, ""));
    if (known.has(digits)) return known.get(digits);
    const instant = instantOf(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second));
    if (known.size === MOST_KNOWN) known.clear();
    known.set(digits, instant);
    return instant;
  };

  let last: string | undefined;
  let lastInstant: string | undefined;
  return (timestamp) => {
    if (timestamp !== last) {
      lastInstant = lookUp(timestamp);
      last = timestamp;
    }
    return lastInstant;
  };
}
