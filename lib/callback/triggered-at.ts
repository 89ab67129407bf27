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
  return (timestamp) => {
    const local = DateTime.fromFormat(timestamp, FORMAT, { zone: timeZone, locale: "en-US" });
    // Luxon moves a time that the clocks skip, and takes the first of two that they repeat.
    if (!local.isValid || local.toFormat(FORMAT) !== timestamp || local.getPossibleOffsets().length > 1)
      return undefined;
    return local.toJSDate().toISOString();
  };
}
