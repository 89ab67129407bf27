// Normalizes phone numbers: one form for every way to write a number.

import { invalidArgument } from "../base/errors.js";
import { nationalNumberIn } from "./national-number.js";

/** Returns a number in the form of `message.source`. */
export type PhoneNumber = (sent: string) => string;

/**
 * Blanks, hyphens and dashes, dots, slashes, brackets, and invisible characters that come along with copied numbers.
 */
const SEPARATORS = /[\s\p{Pd}\p{Cf}\u2212./()[\]]+/gu;
const E164 = /^\+[1-9]\d{6,14}$/;
/** A `+`, or the prefix of an international call. */
const WITH_PREFIX = /^(?:\+?00|\+)(\d{7,15})$/;
/** Shorter numbers may be national: only their country says whose they are. */
const INTERNATIONAL = /^[1-9]\d{10,14}$/;
/** The longest is a prefix of two digits, and 15. */
const DIGITS = /^\d{1,17}$/;
/** Shorter ones are short codes. */
const SHORTEST_NUMBER = 7;

/**
 * Returns E.164 for a number with its country code: `+` or `00` and 7 to 15 digits, or 11 to 15 digits. Other numbers
 * lose their separators only. What is not a number stays as sent: short codes, alphanumeric senders.
 *
 * @param nationalNumber - returns E.164 for digits that are a number of the default country; it is asked first
 */
export function phoneNumber(sent: string, nationalNumber?: (digits: string) => string | undefined): string {
  if (E164.test(sent)) return sent;
  // The usual form: if there is no country to ask for, that is all.
  if (nationalNumber === undefined && INTERNATIONAL.test(sent)) return `+${sent}`;
  const compact = sent.replace(SEPARATORS, "");
  const prefixed = WITH_PREFIX.exec(compact)?.[1];
  if (prefixed !== undefined) return `+${prefixed}`;
  if (!DIGITS.test(compact)) return sent;
  const national = nationalNumber?.(compact);
  if (national !== undefined) return national;
  if (INTERNATIONAL.test(compact)) return `+${compact}`;
  return compact.length < SHORTEST_NUMBER ? sent : compact;
}

/** @param defaultCountry - whose numbers may be sent without a country code */
export function phoneNumberIn(defaultCountry: string | undefined): PhoneNumber {
  if (defaultCountry === undefined) return (sent) => phoneNumber(sent);
  const nationalNumber = nationalNumberIn(defaultCountry);
  return (sent) => phoneNumber(sent, nationalNumber);
}

/**
 * Returns the numbers of `sms.recipient` as they are in `message.recipient`, each once.
 *
 * @throws TypeError if a number is not a string, or is empty
 */
export function recipientsOf(given: unknown, phoneNumber: PhoneNumber): string[] {
  const numbers: unknown[] = Array.isArray(given) ? given : [given];
  const isNumber = (one: unknown): one is string => typeof one === "string" && one !== "";
  if (numbers.length === 0 || !numbers.every(isNumber))
    throw invalidArgument('sms.recipient takes a business number such as "+919812345678", or an array of them.');
  return [...new Set(numbers.map(phoneNumber))];
}
