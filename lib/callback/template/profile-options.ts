// The options of `callbackProfile`: their types and their checks.

import { invalidOption } from "../../base/errors.js";
import { isHeaderName } from "../../base/header.js";
import { decode } from "../../base/query-string.js";
import { isRecord } from "../../base/record.js";
import { isTableField, OTHER_NAMES, PAGE_LINE } from "../fields.js";
import { FIELD_NAMES, MOST_PARTS, variablesIn } from "./template.js";

/** The options of `callbackProfile`. */
export interface CallbackProfileOptions {
  /** The HTTP method that the console sends callbacks with. POST passes the text of the SMS, GET does not. */
  readonly method: "GET" | "POST";
  /** The URL that the provider calls: absolute, http or https, with or without a query. */
  readonly url: string;
  /**
   * The wire names of the fields to request. `parts[n]` is the line on the provider's page; the other variables of its
   * GET endpoint are fields as well. Default: all fields of the table except the parts.
   */
  readonly fields?: readonly string[] | undefined;
  /**
   * How many of `parts[1]`, `parts[2]`, ... to request, at most 100. Default: 0, because the text has the same words.
   */
  readonly parts?: number | undefined;
  /** Fields with a fixed value in every callback, such as the name of a tenant. Default: none. */
  readonly statics?: Readonly<Record<string, string>> | undefined;
  /** Custom HTTP headers of every callback. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What a URL must be, as the end of a sentence. */
export const URL_TAKES = "an absolute http or https URL, without # and without <variables>";
/** What statics must be, as the end of a sentence. */
export const STATICS_TAKE =
  "names have no quotes or backslashes and are not fields of the provider's page, " +
  "and neither names nor values contain <variables>, which the provider would replace";

const OPTION_NAMES = ["method", "url", "fields", "parts", "statics", "headers"];

/** Names without characters that JSON escapes: a body can be read back by them. */
export function isStaticName(name: string): boolean {
  return /^[^"\\\p{Cc}\p{Cs}]+$/u.test(name);
}

/** Whether a field may have this fixed value under this name: in the console, `<source>` is always a variable. */
export function isStatic(name: string, value: string): boolean {
  return isStaticName(name) && !isTableField(name) && variablesIn(`${name} ${value}`).length === 0;
}

/** @throws TypeError if an option is unknown or has an invalid value */
export function checkOptions(
  options: CallbackProfileOptions,
): Required<{ [Name in keyof CallbackProfileOptions]: NonNullable<CallbackProfileOptions[Name]> }> {
  const given: unknown = options;
  if (!isRecord(given))
    throw invalidOption("callbackProfile takes { method, url, fields?, parts?, statics?, headers? }.");
  for (const name of Object.keys(given)) {
    if (!OPTION_NAMES.includes(name))
      throw invalidOption(`${name} is not an option of callbackProfile. They are ${OPTION_NAMES.join(", ")}.`);
  }
  const { method, url, fields = FIELD_NAMES, parts = 0, statics = {}, headers = {} } = options;
  const must = (isValid: boolean, name: string, takes: string): void => {
    if (!isValid) throw invalidOption(`${name} of callbackProfile takes ${takes}.`);
  };
  must(["GET", "POST"].includes(method), "method", '"GET" or "POST"');
  must(isFixedUrl(url), "url", URL_TAKES);
  must(
    Array.isArray(fields) && new Set(fields).size === fields.length && fields.every(isRequestable),
    "fields",
    `an array of wire names, each once: ${[...FIELD_NAMES, PAGE_LINE].join(", ")}, ` +
      "or another variable of the provider's GET endpoint",
  );
  must(
    Number.isSafeInteger(parts) && parts >= 0 && parts <= MOST_PARTS,
    "parts",
    `a whole number from 0 to ${MOST_PARTS}`,
  );
  must(
    isRecordOfStrings(statics) &&
      Object.entries(statics).every(([name, value]) => isStatic(name, value) && !fields.includes(name)),
    "statics",
    `a record of strings: ${STATICS_TAKE}`,
  );
  must(
    isRecordOfStrings(headers) && Object.keys(headers).every(isHeaderName),
    "headers",
    "a record of strings whose names are valid HTTP header names",
  );
  return { method, url, fields, parts, statics, headers };
}

const REQUESTABLE: ReadonlySet<unknown> = new Set([...FIELD_NAMES, PAGE_LINE, ...OTHER_NAMES]);

function isRequestable(name: unknown): boolean {
  return REQUESTABLE.has(name);
}

/** Whether it is the URL of a profile: a variable in it would make it another one for each callback. */
export function isFixedUrl(url: unknown): boolean {
  return typeof url === "string" && isUrl(url) && variablesIn(decode(url)).length === 0;
}

export function isUrl(url: unknown): boolean {
  return typeof url === "string" && /^https?:\/\/[!-~]+$/.test(url) && !url.includes("#") && URL.canParse(url);
}

function isRecordOfStrings(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((one) => typeof one === "string");
}
