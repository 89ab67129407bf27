// Converts the provider's timestamp, which names no time zone, to an instant.

import type * as Luxon from "luxon";

const FORM = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/;
/**
 * The size of the cache. Many callbacks share a timestamp, and converting it takes longer than the rest of a callback.
 */
const MAX_CACHED = 1_000;

/**
 * Creates the function that converts `YYYY-MM-DD HH:MM:SS` in the time zone to an ISO 8601 instant in UTC.
 *
 * The function returns `undefined` if the timestamp does not name exactly one instant: it has another form, its date
 * does not exist, or a daylight-saving change skips or repeats its hour.
 */
export function instantIn(timeZone: string): (timestamp: string) => string | undefined {
  // Loaded only if options.timeZone is given.
  const { DateTime } = require("luxon") as typeof Luxon;
  // Overrides Luxon's global settings, which belong to the app.
  const options = { zone: timeZone, locale: "en-US", numberingSystem: "latn", outputCalendar: "gregory" } as const;
  const instantOf = (year: number, month: number, day: number, hour: number, minute: number, second: number) => {
    try {
      const local = DateTime.fromObject({ year, month, day, hour, minute, second }, options);
      // Luxon moves a time that the clocks skip, and takes the first of two repeated ones.
      const isMoved = local.hour !== hour || local.minute !== minute;
      return !local.isValid || isMoved || local.getPossibleOffsets().length > 1
        ? undefined
        : local.toJSDate().toISOString();
    } catch {
      // The app has set Luxon's `throwOnInvalid`.
      return undefined;
    }
  };

  /** The keys are numbers: a string cut out of a body would keep the whole body in memory. */
  const cache = new Map<number, string | undefined>();
  const convert = (timestamp: string): string | undefined => {
    const [, year, month, day, hour, minute, second] = FORM.exec(timestamp) ?? [];
    if (second === undefined) return undefined;
    const digits = Number(timestamp.replace(/\D/g, ""));
    if (cache.has(digits)) return cache.get(digits);
    const instant = instantOf(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second));
    if (cache.size === MAX_CACHED) cache.clear();
    cache.set(digits, instant);
    return instant;
  };

  let last: string | undefined;
  let lastInstant: string | undefined;
  return (timestamp) => {
    if (timestamp !== last) {
      lastInstant = convert(timestamp);
      last = timestamp;
    }
    return lastInstant;
  };
}
