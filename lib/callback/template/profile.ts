// The Callback Profile that a business creates in the provider's console, and the texts to paste there.

import { invalidArgument, invalidOption } from "../../base/errors.js";
import { isRecord } from "../../base/record.js";
import { isTableField } from "../fields.js";
import { splitWords } from "../words.js";
import {
  escapeJson,
  FIELD_NAMES,
  MOST_PARTS,
  renderBody,
  renderQuery,
  type Member,
  type Template,
} from "./template.js";

/** The options of `callbackProfile`. */
export interface CallbackProfileOptions {
  readonly method: "GET" | "POST";
  /** The URL that the provider calls: absolute, http or https, with or without a query. */
  readonly url: string;
  /**
   * The wire names of the fields to request. `parts[n]` is the line on the provider's page. Default: all fields of the
   * table except the parts.
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

/** A request as the provider would send it. */
export interface RenderedCallback {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent under GET. */
  readonly body?: string;
}

/** How `render` inserts values into a body: unchanged (`none`), or escaped as in a JSON string (`json`). */
export interface RenderOptions {
  /** Default: `json`. No effect under GET: values are always percent-encoded. */
  readonly escaping?: "json" | "none" | undefined;
}

/** A Callback Profile: the texts to paste into the console, and the callbacks that result. Frozen. */
export interface CallbackProfile {
  readonly method: "GET" | "POST";
  /** For "Enter Endpoint" in the console: the URL, under GET with the complete query. */
  readonly endpoint: string;
  /** For "Request Body" in the console. `undefined` under GET. */
  readonly body: string | undefined;
  /** For "Custom HTTP headers" in the console. */
  readonly headers: Readonly<Record<string, string>>;
  /** The wire names of the requested fields, without the parts. */
  readonly fields: readonly string[];
  /** `body` and `endpoint` are rendered from it, and a body is read back by it. */
  readonly template: Template;
  /**
   * Returns the request that the provider would send for these values, given under their wire names. A field that is
   * not given is empty. A part that is not given is the word of the message with its number.
   *
   * @throws TypeError if a value is not a string, or the profile does not request its field
   * @example
   * const values = { id: "1", source: "919876543210", recipient: "5050", message: 'say "hi"' };
   * const { url, headers, body } = profile.render(values);
   * await fetch(url, { method: "POST", headers, body });
   */
  render(values: Readonly<Record<string, string>>, options?: RenderOptions): RenderedCallback;
}

/** Marks a profile of whichever copy of this package: an app may have several. */
const BRAND = Symbol.for("express-kaleyra-sms: callback profile");

export function isCallbackProfile(value: unknown): value is CallbackProfile {
  return typeof value === "object" && value !== null && BRAND in value;
}

class Profile implements CallbackProfile {
  readonly [BRAND] = true;
  readonly method: "GET" | "POST";
  readonly endpoint: string;
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: readonly string[];
  readonly template: Template;
  readonly #url: string;

  constructor(options: CallbackProfileOptions) {
    const { method, url, fields, parts, statics, headers } = checkOptions(options);
    this.method = method;
    this.fields = Object.freeze([...fields]);
    this.template = { members: membersOf(fields, parts, statics), admitsParts: false };
    this.headers = Object.freeze({ ...headers });
    this.#url = url;
    const placeholder = (variable: string): string => `<${variable}>`;
    this.endpoint = method === "GET" ? this.#withQuery(placeholder) : url;
    this.body = method === "GET" ? undefined : renderBody(this.template, placeholder);
    Object.freeze(this);
  }

  render(values: Readonly<Record<string, string>>, { escaping = "json" }: RenderOptions = {}): RenderedCallback {
    const variables = new Set(
      this.template.members.flatMap(({ content }) => ("variable" in content ? [content.variable] : [])),
    );
    for (const [name, value] of Object.entries(values) as Array<[string, unknown]>) {
      if (!variables.has(name))
        throw invalidArgument(`The profile has no variable "${name}": it has ${[...variables].join(", ")}.`);
      if (typeof value !== "string") throw invalidArgument(`The value of "${name}" must be a string.`);
    }
    const words = splitWords(values.message ?? "");
    const valueOf = (variable: string): string => values[variable] ?? words[partIndex(variable)] ?? "";
    if (this.method === "GET") {
      const url = this.#withQuery((variable) => encodeURIComponent(valueOf(variable).toWellFormed()));
      return { method: "GET", url, headers: this.headers };
    }
    const encode = escaping === "json" ? escapeJson : (value: string): string => value;
    return {
      method: "POST",
      url: this.#url,
      headers: Object.freeze({ "Content-Type": "application/json", ...this.headers }),
      body: renderBody(this.template, (variable) => encode(valueOf(variable))),
    };
  }

  #withQuery(valueOf: (variable: string) => string): string {
    return `${this.#url}${this.#url.includes("?") ? "&" : "?"}${renderQuery(this.template, valueOf)}`;
  }
}

/** A Callback Profile of POST: it always has a body. */
export interface PostCallbackProfile extends CallbackProfile {
  readonly method: "POST";
  readonly body: string;
  render(
    values: Readonly<Record<string, string>>,
    options?: RenderOptions,
  ): RenderedCallback & { readonly method: "POST"; readonly body: string };
}

/**
 * Describes the Callback Profile that you create in the provider's console. Paste its `endpoint`, `body` and `headers`
 * there. `incomingSms({ profile })` reads callbacks by this description: a text can neither add, replace nor remove a
 * field.
 *
 * @throws TypeError if an option is unknown or has an invalid value
 * @example
 * const profile = callbackProfile({ method: "POST", url: "https://example.com/sms", statics: { tenant: "acme" } });
 * console.log(profile.body);
 * const sms = incomingSms({ profile });
 */
export function callbackProfile(options: CallbackProfileOptions & { readonly method: "POST" }): PostCallbackProfile;
export function callbackProfile(options: CallbackProfileOptions): CallbackProfile;
export function callbackProfile(options: CallbackProfileOptions): CallbackProfile {
  return new Profile(options);
}

function membersOf(fields: readonly string[], parts: number, statics: Readonly<Record<string, string>>): Member[] {
  const numbered = Array.from({ length: parts }, (_, index) => `parts[${index + 1}]`);
  return [
    ...[...fields, ...numbered].map((name) => ({ name, content: { variable: name } })),
    ...Object.entries(statics).map(([name, literal]) => ({ name, content: { literal } })),
  ];
}

/** The index of the word of the message that a variable stands for; -1 if it is not a numbered part. */
function partIndex(variable: string): number {
  return Number(/^parts\[(\d+)\]$/.exec(variable)?.[1] ?? 0) - 1;
}

const OPTION_NAMES = ["method", "url", "fields", "parts", "statics", "headers"];

/** Names without characters that JSON escapes: a body can be read back by them. */
const STATIC_NAME = /^[^"\\\p{Cc}\p{Cs}]+$/u;

function checkOptions(
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
  must(isUrl(url), "url", "an absolute http or https URL without #");
  must(
    Array.isArray(fields) && new Set(fields).size === fields.length && fields.every(isRequestable),
    "fields",
    `an array of wire names, each once: ${FIELD_NAMES.join(", ")}, parts[n]`,
  );
  must(
    Number.isSafeInteger(parts) && parts >= 0 && parts <= MOST_PARTS,
    "parts",
    `a whole number from 0 to ${MOST_PARTS}`,
  );
  must(
    isRecordOfStrings(statics) && Object.keys(statics).every((name) => STATIC_NAME.test(name) && !isTableField(name)),
    "statics",
    "a record of strings whose names have no quotes or backslashes and are not fields of the provider's page",
  );
  must(
    isRecordOfStrings(headers) && Object.keys(headers).every(isHeaderName),
    "headers",
    "a record of strings whose names are valid HTTP header names",
  );
  return { method, url, fields, parts, statics, headers };
}

function isRequestable(name: unknown): boolean {
  return name === "parts[n]" || FIELD_NAMES.some((one) => one === name);
}

function isHeaderName(name: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name);
}

function isUrl(url: unknown): boolean {
  return typeof url === "string" && /^https?:\/\/[!-~]+$/.test(url) && !url.includes("#") && URL.canParse(url);
}

function isRecordOfStrings(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((one) => typeof one === "string");
}
