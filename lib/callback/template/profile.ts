// The Callback Profile that a business creates in the provider's console, and the texts to paste there.

import { invalidArgument } from "../../base/errors.js";
import { hasOnly } from "../../base/record.js";
import { variableOf } from "../fields.js";
import { splitWords } from "../words.js";
import { checkOptions, type CallbackProfileOptions } from "./profile-options.js";
import { problemsOf, readTemplate } from "./read-template.js";
import { printableName } from "./printable-name.js";
import { escapeJson, renderBody, renderQuery, type Member, type Template } from "./template.js";

/** A request as the provider would send it. */
export interface RenderedCallback {
  /** The HTTP method. */
  readonly method: "GET" | "POST";
  /** The absolute URL, under GET with the query. */
  readonly url: string;
  /** The custom headers of the profile, under POST with the content type. */
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
  /** The HTTP method. */
  readonly method: "GET" | "POST";
  /** For "Enter Endpoint" in the console: the URL, under GET with the complete query. */
  readonly endpoint: string;
  /** For "Request Body" in the console. `undefined` under GET. */
  readonly body: string | undefined;
  /** For "Custom HTTP headers" in the console. */
  readonly headers: Readonly<Record<string, string>>;
  /** The wire names of the requested fields, without the parts. */
  readonly fields: readonly string[];
  /** `body` and `endpoint` are rendered from it, and a body is read back by it. @hidden */
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
        throw invalidArgument(
          `The profile has no variable "${printableName(name)}": it has ${[...variables].join(", ")}.`,
        );
      if (typeof value !== "string") throw invalidArgument(`The value of "${printableName(name)}" must be a string.`);
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
  /** The HTTP method. */
  readonly method: "POST";
  /** For "Request Body" in the console. */
  readonly body: string;
  render(values: Readonly<Record<string, string>>, options?: RenderOptions): RenderedPost;
}

/** A request of POST. @inline */
type RenderedPost = RenderedCallback & {
  /** The HTTP method. */
  readonly method: "POST";
  /** The body, which is always there. */
  readonly body: string;
};

/** Creates profiles. @inline */
interface CallbackProfileFactory {
  /**
   * Describes the Callback Profile that you create in the provider's console. Paste its `endpoint`, `body` and
   * `headers` there. `incomingSms({ profile })` reads callbacks by this description: a text can neither add, replace
   * nor remove a field.
   *
   * @throws TypeError if an option is unknown or has an invalid value
   * @example
   * const profile = callbackProfile({ method: "POST", url: "https://example.com/sms", statics: { tenant: "acme" } });
   * console.log(profile.body);
   * const sms = incomingSms({ profile });
   */
  (options: CallbackProfileOptions & { readonly method: "POST" }): PostCallbackProfile;
  (options: CallbackProfileOptions): CallbackProfile;
  /**
   * Returns the profile of a template that the console holds: its request body for POST, or its endpoint for GET. Order
   * and white space do not matter. The text has at most 65,536 characters, and requests at least one field.
   *
   * @throws TypeError that says what the router could not read by this template, and what to write instead
   * @example
   * const profile = callbackProfile.parse('{ "id": "<id>", "source": "<source>", "message": "<message>" }');
   * const sms = incomingSms({ profile });
   */
  parse(text: string, options?: ParseOptions): CallbackProfile;
}

/** What the text of a template does not say. */
export interface ParseOptions {
  /** The endpoint of a POST profile. Default: `https://your.domain/sms`. The text of a GET profile has its own. */
  readonly url?: string | undefined;
  /** Custom HTTP headers of every callback. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Describes a Callback Profile, or reads the one that the console holds. */
export const callbackProfile: CallbackProfileFactory = Object.assign(create, { parse });

function create(options: CallbackProfileOptions & { readonly method: "POST" }): PostCallbackProfile;
function create(options: CallbackProfileOptions): CallbackProfile;
function create(options: CallbackProfileOptions): CallbackProfile {
  return new Profile(options);
}

/** The endpoint of a profile whose own is not known. */
const SOME_URL = "https://your.domain/sms";

function parse(text: string, options: ParseOptions = {}): CallbackProfile {
  const given: readonly unknown[] = [text, options];
  if (typeof given[0] !== "string" || !hasOnly(given[1], ["url", "headers"]))
    throw invalidArgument("callbackProfile.parse takes the text of a template, and { url?, headers? }.");
  const read = readTemplate(text);
  const problems = "problem" in read ? [read.problem] : problemsOf(read);
  if ("problem" in read || problems.length > 0)
    throw invalidArgument(`callbackProfile.parse does not understand this template. ${problems.join(" ")}`);
  const { method, url, members } = read;
  if (url !== undefined && options.url !== undefined)
    throw invalidArgument("callbackProfile.parse takes no url with an endpoint of GET: the text is the URL.");
  const requested = members.flatMap((one) => ("content" in one && "variable" in one.content ? [one.name] : []));
  const fields = requested.filter((name) => partIndex(name) === -1);
  const statics = Object.fromEntries(
    members.flatMap((one) => ("content" in one && "literal" in one.content ? [[one.name, one.content.literal]] : [])),
  );
  const { headers } = options;
  return new Profile({
    method,
    url: url ?? options.url ?? SOME_URL,
    fields,
    parts: requested.length - fields.length,
    statics,
    headers,
  });
}

function membersOf(fields: readonly string[], parts: number, statics: Readonly<Record<string, string>>): Member[] {
  const numbered = Array.from({ length: parts }, (_, index) => `parts[${index + 1}]`);
  return [
    ...[...fields, ...numbered].map((name) => ({ name, content: { variable: variableOf(name) } })),
    ...Object.entries(statics).map(([name, literal]) => ({ name, content: { literal } })),
  ];
}

/** The index of the word of the message that a variable stands for; -1 if it is not a numbered part. */
function partIndex(variable: string): number {
  return Number(/^parts\[(\d+)\]$/.exec(variable)?.[1] ?? 0) - 1;
}
