// The time zone of timestamps, from the time at which they arrived.

/** What a timestamp shows: its offset from UTC, and the zone to name if one name is usual for it. */
export interface Offset {
  /** `UTC+05:30` */
  readonly utc: string;
  readonly timeZone: string | undefined;
}

const FORM = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;
const QUARTER_MS = 900_000;
const MOST_QUARTERS = 14 * 4;
/** Further away from a quarter of an hour, the text was on its way too long, or a clock is wrong. */
const NEAR_MS = 240_000;

/** Zones of the provider's panels without daylight-saving time. Elsewhere an offset is not enough to name the zone. */
const ZONES: Readonly<Record<number, string>> = { 0: "UTC", 22: "Asia/Kolkata", 32: "Asia/Singapore" };

/** Returns the offset of a timestamp that was written just before it arrived; `undefined` if it was not. */
export function offsetOf(timestamp: string, receivedAt: string): Offset | undefined {
  if (!FORM.test(timestamp)) return undefined;
  const difference = Date.parse(`${timestamp.replace(" ", "T")}Z`) - Date.parse(receivedAt);
  const quarters = Math.round(difference / QUARTER_MS);
  if (!(Math.abs(difference - quarters * QUARTER_MS) <= NEAR_MS) || Math.abs(quarters) > MOST_QUARTERS)
    return undefined;
  const minutes = Math.abs(quarters) * 15;
  const clock = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
  return { utc: `UTC${quarters < 0 ? "-" : "+"}${clock}`, timeZone: ZONES[quarters] };
}
