// The time zone of timestamps, from the time at which they arrived.

import type { SavedCallback } from "../../provider/saved-callback.js";
import { notProven, proven, type Finding } from "./finding.js";

/** What a timestamp shows: its offset from UTC, and the zone to name if one name is usual for it. */
interface Offset {
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
function offsetOf(timestamp: string, receivedAt: string): Offset | undefined {
  if (!FORM.test(timestamp)) return undefined;
  const difference = Date.parse(`${timestamp.replace(" ", "T")}Z`) - Date.parse(receivedAt);
  const quarters = Math.round(difference / QUARTER_MS);
  if (!(Math.abs(difference - quarters * QUARTER_MS) <= NEAR_MS) || Math.abs(quarters) > MOST_QUARTERS)
    return undefined;
  const minutes = Math.abs(quarters) * 15;
  const clock = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
  return { utc: `UTC${quarters < 0 ? "-" : "+"}${clock}`, timeZone: ZONES[quarters] };
}

/** A timestamp, beside the callback in which it came. */
export interface Stamp {
  readonly callback: SavedCallback;
  readonly timestamp: string;
}

/**
 * The zone of the timestamps of all callbacks. One that was delayed or triggered again keeps its timestamp, so a single
 * one proves nothing: two SMS must agree, and none may contradict them.
 */
export function zoneIn(stamps: readonly Stamp[]): {
  readonly settled: string | undefined;
  readonly utc: string | undefined;
  readonly findings: readonly Finding[];
  readonly comments: readonly string[];
} {
  const about = "timestamp";
  const none = { settled: undefined, utc: undefined, comments: [] };
  if (stamps.length === 0) return { ...none, findings: [notProven(about, "None came.")] };
  const offsets = stamps.map(({ callback: { receivedAt }, timestamp }) => ({
    timestamp,
    offset: receivedAt === undefined ? undefined : offsetOf(timestamp, receivedAt),
  }));
  const found = offsets.flatMap(({ offset }) => offset ?? []);
  const [first] = found;
  if (first === undefined)
    return { ...none, findings: [notProven(about, "Its zone: it does not fit the time of arrival in any zone.")] };
  const { utc, timeZone } = first;
  const differing = [...new Set(found.map((one) => one.utc))];
  if (differing.length > 1) {
    const says = `Its zone: callbacks show several, ${differing.join(" and ")}. Some were delayed or triggered again.`;
    return { ...none, findings: [notProven(about, says)] };
  }
  const count = new Set(offsets.filter(({ offset }) => offset !== undefined).map(({ timestamp }) => timestamp)).size;
  return {
    settled: timeZone,
    utc,
    findings: [
      count > 1
        ? proven(about, `In ${utc}, by the clock of this machine, in ${count} callbacks.`)
        : notProven(about, `In ${utc}, if it was not delayed: one came. The other text shows it.`),
      notProven("time zone", `Its name: ${timeZone ?? "no zone"} is printed, and others have this offset, too.`),
    ],
    comments: timeZone === undefined ? [`timeZone: the zone of your console, which is ${utc} now`] : [],
  };
}
