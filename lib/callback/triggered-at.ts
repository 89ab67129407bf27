// From the provider's timestamp, which names no zone, to an instant.

import type * as Luxon from "luxon";

const FORMAT = "yyyy-MM-dd HH:mm:ss";

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
  return (timestamp) => {
    try {
      const local = DateTime.fromFormat(timestamp, FORMAT, options);
      // Luxon moves a time that the clocks skip, and takes the first of two that they repeat.
      if (!local.isValid || local.toFormat(FORMAT) !== timestamp || local.getPossibleOffsets().length > 1)
        return undefined;
      return local.toJSDate().toISOString();
    } catch {
      // `throwOnInvalid` is set.
      return undefined;
    }
  };
}
