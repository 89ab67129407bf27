// The subscriber behind a source: one form for every way to write a number.

const E164 = /^\+\d{7,15}$/;
const NUMBER = /^\d{7,17}$/;
/** The prefix of an international call, and the number. */
const DIALLED = /^00(\d{7,15})$/;
/** Shorter numbers may be national: only their country says which subscriber they are. */
const INTERNATIONAL = /^[1-9]\d{10,14}$/;
/** Spaces, hyphens and dashes, dots, slashes and parentheses. */
const SEPARATORS = /[\s\-\u2010-\u2015\u2212./()]/g;

/**
 * The same text for every form of a number that can be told without its country: `+919876500001`, `00919876500001`,
 * `919876500001`, `+91 98765-00001`. A source that is no number is returned unchanged.
 */
export function subscriberOf(source: string): string {
  if (E164.test(source)) return source;
  const compact = source.replace(SEPARATORS, "");
  if (E164.test(compact)) return compact;
  if (!NUMBER.test(compact)) return source;
  if (INTERNATIONAL.test(compact)) return `+${compact}`;
  return compact.replace(DIALLED, "+$1");
}
