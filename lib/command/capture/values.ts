// What single values show: the form of numbers, and the zone of timestamps.

import type { Receipt } from "../../answer/receipt.js";
import { maskedNumber } from "../../base/log.js";
import type { SavedCallback } from "../../provider/saved-callback.js";
import { notProven, proven, type Finding } from "./finding.js";
import { offsetOf } from "./zone.js";

/** How numbers come, and what becomes of them. */
export function numbersOf(receipt: Receipt | undefined): {
  readonly findings: readonly Finding[];
  readonly comments: readonly string[];
} {
  const { message } = receipt ?? {};
  if (message === undefined) return { findings: [], comments: [] };
  const numbers = [
    ["source", message.fields.source, message.source],
    ["recipient", message.fields.recipient, message.recipient],
  ] as const;
  const findings = numbers.map(([about, sent = "", made]) => {
    const becomes = made === sent ? "stays" : "becomes";
    const form = `${formOfNumber(sent)}: ${maskedNumber(sent)} ${becomes} ${maskedNumber(made)}`;
    return made.startsWith("+") || !isNational(sent)
      ? proven(about, form)
      : notProven(about, `${form}. Name the country of such numbers: defaultCountry.`);
  });
  const isWithout = numbers.some(([, sent = "", made]) => !made.startsWith("+") && isNational(sent));
  return {
    findings,
    comments: isWithout
      ? ['defaultCountry: "IN", if that is the country of your numbers; npm install libphonenumber-js']
      : [],
  };
}

function isNational(sent: string): boolean {
  return /^\d{7,10}$/.test(sent.replaceAll(/[\s().-]/g, ""));
}

function formOfNumber(sent: string): string {
  if (/^\+[\d\s().-]+$/.test(sent)) return "With + and the country code";
  if (/^00\d+$/.test(sent)) return "With 00 and the country code";
  if (/^[1-9]\d{10,14}$/.test(sent)) return "With the country code, without +";
  if (/^\d{1,6}$/.test(sent)) return "A short code";
  return isNational(sent) ? "Without the country code" : "Not a number with its country code";
}

/** The zone of the timestamp. */
export function zoneIn(
  { receivedAt }: SavedCallback,
  receipt: Receipt | undefined,
): {
  readonly settled: string | undefined;
  readonly utc: string | undefined;
  readonly findings: readonly Finding[];
  readonly comments: readonly string[];
} {
  const about = "timestamp";
  const none = { settled: undefined, utc: undefined, comments: [] };
  const timestamp = receipt?.message?.timestamp;
  if (timestamp === undefined) return { ...none, findings: [notProven(about, "None came.")] };
  const offset = receivedAt === undefined ? undefined : offsetOf(timestamp, receivedAt);
  if (offset === undefined)
    return { ...none, findings: [notProven(about, "Its zone: it does not fit the time of arrival in any zone.")] };
  const { utc, timeZone } = offset;
  return {
    settled: timeZone,
    utc,
    findings: [
      proven(about, `In ${utc}, by the clock of this machine.`),
      notProven("time zone", `Its name: ${timeZone ?? "no zone"} is printed, and others have this offset, too.`),
    ],
    comments: timeZone === undefined ? [`timeZone: the zone of your console, which is ${utc} now`] : [],
  };
}
