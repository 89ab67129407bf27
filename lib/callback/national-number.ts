// Recognizes numbers without a country code, by libphonenumber-js, which the user installs for it.

import { codedTypeError } from "../base/errors.js";
import { isMissing, unlessEmpty } from "../base/peer.js";

/** What this room asks of libphonenumber-js. */
interface Library {
  isSupportedCountry(country: string): boolean;
  getCountryCallingCode(country: string): string;
  parsePhoneNumberFromString(
    text: string,
    defaultCountry: string,
  ): { readonly number: string; readonly countryCallingCode: string; isValid(): boolean } | undefined;
}

/**
 * Whether a value is the ISO 3166 code of a country.
 *
 * @throws TypeError if libphonenumber-js is not installed
 */
export function isCountry(value: unknown): value is string {
  return typeof value === "string" && /^[A-Z]{2}$/.test(value) && library().isSupportedCountry(value);
}

/** How many results are cached: subscribers write again, and a look-up takes as long as half a callback. */
const MAX_CACHED = 10_000;

/**
 * Returns a function that gives E.164 for digits that are a mobile number of the country, written as at home, or with
 * the country code. It gives `undefined` for others. A territory with the same country code counts as the country.
 */
export function nationalNumberIn(country: string): (digits: string) => string | undefined {
  const phoneNumbers = library();
  const callingCode = phoneNumbers.getCountryCallingCode(country);
  const lookUp = (digits: string): string | undefined => {
    const parsed = phoneNumbers.parsePhoneNumberFromString(digits, country);
    return parsed?.countryCallingCode === callingCode && parsed.isValid() ? parsed.number : undefined;
  };

  const cache = new Map<string, string | undefined>();
  return (digits) => {
    const known = cache.get(digits);
    if (known !== undefined || cache.has(digits)) return known;
    const number = lookUp(digits);
    if (cache.size === MAX_CACHED) cache.clear();
    // A copy: a substring of a body would keep the whole body in memory.
    cache.set(Buffer.from(digits).toString(), number);
    return number;
  };
}

function library(): Library {
  const loaded = ifInstalled();
  if (loaded !== undefined) return loaded;
  throw codedTypeError("KALEYRA_SMS_PEER_MISSING", {
    message: "options.defaultCountry needs libphonenumber-js: npm install libphonenumber-js.",
  });
}

function ifInstalled(): Library | undefined {
  try {
    // With the metadata of mobile numbers only: nobody else sends SMS.
    return unlessEmpty(require("libphonenumber-js/mobile") as Library);
  } catch (cause) {
    if (isMissing("libphonenumber-js/mobile", cause)) return undefined;
    throw cause;
  }
}
