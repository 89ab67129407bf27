// The form in which a message gives a number out.

const E164 = /^\+\d{7,15}$/;
const INTERNATIONAL = /^[1-9]\d{10,14}$/;
const NATIONAL = /^\d{10}$/;

/**
 * E.164 where the number was sent with its country code (`+` and 7 to 15 digits, or 11 to 15 digits), or with 10 digits
 * while a default country code is known; any other (short codes, national numbers, alphanumeric senders) as it was sent.
 */
export function phoneNumber(sent: string, defaultCountryCode: string | undefined): string {
  if (E164.test(sent)) return sent;
  if (INTERNATIONAL.test(sent)) return `+${sent}`;
  return defaultCountryCode !== undefined && NATIONAL.test(sent) ? `+${defaultCountryCode}${sent}` : sent;
}
