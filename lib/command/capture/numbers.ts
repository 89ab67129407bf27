// What the numbers of a callback show of their form.

import type { Receipt } from "../../answer/receipt.js";
import { maskedNumber } from "../../base/log.js";
import { notProven, proven, type Finding } from "./finding.js";

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
    if (BARE.test(sent))
      return notProven(
        about,
        `${form}. Compare it with the whole number: some countries have as many digits without their code.`,
      );
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

/** Digits alone, as many as a number with its country code has. */
const BARE = /^[1-9]\d{10,14}$/;

function isNational(sent: string): boolean {
  return /^\d{7,10}$/.test(sent.replaceAll(/[\s().-]/g, ""));
}

function formOfNumber(sent: string): string {
  if (/^\+[\d\s().-]+$/.test(sent)) return "With + and the country code";
  if (/^00\d+$/.test(sent)) return "With 00 and the country code";
  if (BARE.test(sent)) return "Taken as with the country code, without +";
  if (/^\d{1,6}$/.test(sent)) return "A short code";
  return isNational(sent) ? "Without the country code" : "Not a number with its country code";
}
