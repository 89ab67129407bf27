// Normalizes phone numbers to E.164.

import { invalidArgument } from "../base/errors.js";

const E164 = /^\+\d{7,15}$/;
const INTERNATIONAL = /^[1-9]\d{10,14}$/;
const NATIONAL = /^\d{10}$/;

/**
 * Returns E.164 for a number with its country code (`+` and 7 to 15 digits, or 11 to 15 digits), and for 10 digits if
 * there is a default country code. Other numbers stay as sent: short codes, national numbers, alphanumeric senders.
 */
export function phoneNumber(sent: string, defaultCountryCode: string | undefined): string {
  if (E164.test(sent)) return sent;
  if (INTERNATIONAL.test(sent)) return `+${sent}`;
  return defaultCountryCode !== undefined && NATIONAL.test(sent) ? `+${defaultCountryCode}${sent}` : sent;
}

/**
 * Returns the numbers of `sms.recipient` as they are in `message.recipient`, each once.
 *
 * @throws TypeError if a number is not a string, or is empty
 */
export function recipientsOf(given: unknown, defaultCountryCode: string | undefined): string[] {
  const numbers: unknown[] = Array.isArray(given) ? given : [given];
  const isNumber = (one: unknown): one is string => typeof one === "string" && one !== "";
  if (numbers.length === 0 || !numbers.every(isNumber))
    throw invalidArgument('sms.recipient takes a business number such as "+919812345678", or an array of them.');
  return [...new Set(numbers.map((one) => phoneNumber(one, defaultCountryCode)))];
}
