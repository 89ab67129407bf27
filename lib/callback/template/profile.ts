// The Callback Profile that a business creates in the provider's console, and what is pasted there.

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

/** What describes a Callback Profile. */
export interface CallbackProfileOptions {
  readonly method: "GET" | "POST";
  /** Where the provider calls: an absolute http or https URL, with or without a query. */
  readonly url: string;
  /** The fields to ask for, under their wire names; `parts[n]` is the line that the provider's page prints. Default: all of the table but the parts. */
  readonly fields?: readonly string[] | undefined;
  /** How many of `parts[1]`, `parts[2]`, ... to ask for, at most 100. Default: 0, since they are computed from the text. */
  readonly parts?: number | undefined;
  /** Fields that come with every callback as they stand here, such as the name of a tenant. Default: none. */
  readonly statics?: Readonly<Record<string, string>> | undefined;
  /** Custom HTTP headers that come with every callback. Default: none. */
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

/** How a value is substituted into a body: as it is, or escaped as in a JSON string. */
export interface RenderOptions {
  /** Default: `json`. Under GET values are percent-encoded, whatever stands here. */
  readonly escaping?: "json" | "none" | undefined;
}

/** A Callback Profile: what to paste into the console, and how a callback comes out of it. Frozen. */
export class CallbackProfile {
  readonly method: "GET" | "POST";
  /** For "Enter Endpoint": the URL; under GET with the whole query. */
  readonly endpoint: string;
  /** For "Request Body", under POST. */
  readonly body: string | undefined;
  /** For "Custom HTTP headers". */
  readonly headers: Readonly<Record<string, string>>;
  /** The fields that are asked for, under their wire names, without the parts. */
  readonly fields: readonly string[];
  /** From what `body` and `endpoint` are rendered, and by what a body is read back. */
  readonly template: Template;
  readonly #url: string;

  /** @throws TypeError where an option is unknown or takes another value */
  constructor(options: CallbackProfileOptions) {
    const { method, url, fields, parts, statics, headers } = checked(options);
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

  /**
   * The request that the provider would send for these values, under their wire names. What is not given is empty; parts are the words of
   * the message.
   *
   * @throws TypeError where a value is no string, or the profile has no such variable
   * @example
   * const { url, headers, body } = profile.render({ id: "1", source: "919876543210", recipient: "5050", message: 'say "hi"' });
   * await fetch(url, { method: "POST", headers, body });
   */
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
    const paste = escaping === "json" ? escapeJson : (value: string): string => value;
    return {
      method: "POST",
      url: this.#url,
      headers: Object.freeze({ "Content-Type": "application/json", ...this.headers }),
      body: renderBody(this.template, (variable) => paste(valueOf(variable))),
    };
  }

  #withQuery(valueOf: (variable: string) => string): string {
    return `${this.#url}${this.#url.includes("?") ? "&" : "?"}${renderQuery(this.template, valueOf)}`;
  }
}

/** A profile of POST: it has a body. */
export interface PostCallbackProfile extends CallbackProfile {
  readonly method: "POST";
  readonly body: string;
  render(
    values: Readonly<Record<string, string>>,
    options?: RenderOptions,
  ): RenderedCallback & { readonly method: "POST"; readonly body: string };
}

/**
 * Describes the Callback Profile that you create in the provider's console. `endpoint`, `body` and `headers` are to be pasted there, and
 * `incomingSms({ profile })` reads what comes of it: by this description, a text can neither add, replace nor remove a field.
 *
 * @throws TypeError where an option is unknown or takes another value
 * @example
 * const profile = callbackProfile({ method: "POST", url: "https://example.com/sms", statics: { tenant: "acme" } });
 * console.log(profile.body);
 * const sms = incomingSms({ profile });
 */
export function callbackProfile(options: CallbackProfileOptions & { readonly method: "POST" }): PostCallbackProfile;
export function callbackProfile(options: CallbackProfileOptions): CallbackProfile;
export function callbackProfile(options: CallbackProfileOptions): CallbackProfile {
  return new CallbackProfile(options);
}

function membersOf(fields: readonly string[], parts: number, statics: Readonly<Record<string, string>>): Member[] {
  const numbered = Array.from({ length: parts }, (_, index) => `parts[${index + 1}]`);
  return [
    ...[...fields, ...numbered].map((name) => ({ name, content: { variable: name } })),
    ...Object.entries(statics).map(([name, literal]) => ({ name, content: { literal } })),
  ];
}

/** Which word of the message a variable stands for; -1 where none. */
function partIndex(variable: string): number {
  return Number(/^parts\[(\d+)\]$/.exec(variable)?.[1] ?? 0) - 1;
}

const NAMES = ["method", "url", "fields", "parts", "statics", "headers"];

/** Names that a body can be read back by: nothing that JSON would escape. */
const NAME = /^[^"\\\p{Cc}\p{Cs}]+$/u;

function checked(
  options: CallbackProfileOptions,
): Required<{ [Name in keyof CallbackProfileOptions]: NonNullable<CallbackProfileOptions[Name]> }> {
  const given: unknown = options;
  if (!isRecord(given))
    throw invalidOption("callbackProfile takes { method, url, fields?, parts?, statics?, headers? }.");
  for (const name of Object.keys(given)) {
    if (!NAMES.includes(name))
      throw invalidOption(`${name} is not an option of callbackProfile. They are ${NAMES.join(", ")}.`);
  }
  const { method, url, fields = FIELD_NAMES, parts = 0, statics = {}, headers = {} } = options;
  const must = (holds: boolean, name: string, takes: string): void => {
    if (!holds) throw invalidOption(`${name} of callbackProfile takes ${takes}.`);
  };
  must(["GET", "POST"].includes(method), "method", '"GET" or "POST"');
  must(isUrl(url), "url", "an absolute http or https URL without #");
  must(
    Array.isArray(fields) && new Set(fields).size === fields.length && fields.every(isAskable),
    "fields",
    `an array of wire names, each once: ${FIELD_NAMES.join(", ")}, parts[n]`,
  );
  must(
    Number.isSafeInteger(parts) && parts >= 0 && parts <= MOST_PARTS,
    "parts",
    `a whole number from 0 to ${MOST_PARTS}`,
  );
  must(
    isRecordOfStrings(statics) && Object.keys(statics).every((name) => NAME.test(name) && !isTableField(name)),
    "statics",
    "a record of strings, under names without quotes and backslashes that are none of the table's",
  );
  must(
    isRecordOfStrings(headers) && Object.keys(headers).every(isHeaderName),
    "headers",
    "a record of strings, under names of HTTP headers",
  );
  return { method, url, fields, parts, statics, headers };
}

function isAskable(name: unknown): boolean {
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
