// Reads a callback: returns its message, or why it is invalid. Chooses the reader for its kind of content; the readers
// are in read/.

import { types } from "node:util";

import { now } from "../base/clock.js";
import { invalidArgument } from "../base/errors.js";
import { withoutVariables } from "../base/query-string.js";
import type { createDecryptFields } from "./decrypt.js";
import { invalidCallback, type InvalidCallback, type Issue, type Refusal } from "./invalid.js";
import { smsMessage, type MessageSettings, type SmsMessage } from "./message.js";
import { decode, textOrBytes } from "./read/charset.js";
import { readDamaged } from "./read/damage.js";
import { createReadJsonBody, NOT_JSON, type Escaping, type ReadJsonBody } from "./read/json-body.js";
import { BEFORE_CONTENT, contentOf, mediaType, type MediaType } from "./read/media-type.js";
import { readParsedVariables } from "./read/parsed-body.js";
import { readQuery } from "./read/query.js";
import type { Reading } from "./read/reading.js";
import { createNoSmsDetail, isWithoutFields } from "./no-sms.js";
import { PRINTED_TEMPLATE, type Template } from "./template/template.js";
import type { Validate } from "./validate.js";

/** A complete callback, as received. */
export type Callback =
  | {
      /** A callback of GET. */
      readonly method: "GET";
      /** The query string, with or without its `?`; or its decoded variables. */
      readonly query: string | Readonly<Record<string, string>>;
    }
  | {
      /** A callback of POST. */
      readonly method: "POST";
      /** The body as text, as bytes, or as the object that a body parser returned. */
      readonly body: string | Uint8Array | object;
      /** Default: JSON or a form, in UTF-8. */
      readonly contentType?: string | undefined;
    };

/**
 * Checks the argument of `sms.receive`, and removes the `?` at the head of a query.
 *
 * @throws TypeError if the argument does not have the form of a callback
 */
export function checkedCallback(given: Callback): Callback {
  let cause: unknown;
  try {
    const callback = callbackOf(given);
    if (callback !== undefined) return callback;
  } catch (error) {
    // A property that throws, or bytes that were transferred to another thread.
    cause = error;
  }
  throw invalidArgument(
    'A callback is { method: "GET", query: a string or a record of strings } or ' +
      '{ method: "POST", body: a string, bytes as a Uint8Array or an object, ' +
      "contentType?: a string }.",
    { cause },
  );
}

/** Takes each property once: it may be another one the next time. */
function callbackOf(given: unknown): Callback | undefined {
  if (!isPlain(given)) return undefined;
  const { method } = given;
  if (method === "GET") {
    const { query } = given;
    if (typeof query === "string") return { method, query: query.replace(/^\?/, "") };
    // Its values are checked when it is read: a query parser may have made arrays of some.
    if (isPlain(query)) return { method, query: { ...(query as Record<string, string>) } };
  } else if (method === "POST") {
    const { body, contentType } = given;
    if (contentType !== undefined && typeof contentType !== "string") return undefined;
    if (types.isUint8Array(body))
      return { method, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), contentType };
    if (isContent(body)) return { method, body, contentType };
  }
  return undefined;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === "[object Object]";
}

/** Bytes in any other form would be read as an object without fields. */
function isContent(body: unknown): body is string | object {
  if (typeof body !== "object" || body === null) return typeof body === "string";
  return !ArrayBuffer.isView(body) && !types.isAnyArrayBuffer(body);
}

/** A POST callback whose body could not be read completely. */
export interface UnreadCallback {
  readonly method: "POST";
  readonly refusal: Refusal;
  /** The part of the body that was read. */
  readonly read: Uint8Array;
}

export type Read = ReadMessage | { readonly invalid: InvalidCallback };

export interface ReadMessage {
  readonly message: SmsMessage;
  /** Every key of the body, if no profile is given and the keys are not those of the printed template. */
  readonly otherKeys: readonly string[] | undefined;
}

const UNSUPPORTED: Refusal = {
  code: "unsupported-media-type",
  detail: "XML and multipart bodies are not read: in the console, choose JSON as the type of the request body.",
};
const UNKNOWN_CHARSET: Refusal = {
  code: "unsupported-media-type",
  detail: "The charset that the content type names is not known.",
};

const JSON_AS_FORM: Refusal = {
  code: "malformed-body",
  detail:
    "The body is JSON that a form parser before this endpoint has taken apart: " +
    "mount the router before it, or send application/json.",
};

/** The options for reading callbacks. */
interface ReadSettings extends MessageSettings {
  /** The template of the profile; `undefined` without a profile. */
  readonly template: Template | undefined;
  readonly escaping: Escaping;
  /** The variables that are removed from a query, because they hold the caller's secrets. */
  readonly hidden: readonly string[];
  readonly decryptFields: ReturnType<typeof createDecryptFields> | undefined;
  /** Whether the router takes callbacks by POST. */
  readonly takesPost: boolean;
}

/** Creates the function that reads callbacks. */
export function createReadCallback(
  validate: Validate,
  settings: ReadSettings,
): (callback: Callback | UnreadCallback) => Read {
  const { template, escaping, hidden, decryptFields, takesPost } = settings;
  const noSmsDetail = createNoSmsDetail(validate, takesPost);
  const readJsonBody = createReadJsonBody(template ?? PRINTED_TEMPLATE, template !== undefined, escaping);
  return (sent) => {
    const receivedAt = now();
    const callback = withoutHidden(sent, hidden);
    const { method } = callback;
    const reading = readContent(callback, readJsonBody);
    const refuse = (refusal: Refusal): Read => {
      const raw = rawOf(callback);
      const detail = noSmsDetail(method, raw, reading) ?? refusal.detail;
      return { invalid: invalidCallback({ ...refusal, detail }, { method, raw, receivedAt }) };
    };

    if ("refusal" in reading) return refuse(reading.refusal);
    const decrypted =
      decryptFields === undefined || isWithoutFields(reading.fields) ? reading : decryptFields(reading.fields);
    if ("refusal" in decrypted) return refuse(decrypted.refusal);
    const { fields } = decrypted;
    const issues = withUnreadable(validate(fields, method), reading.unreadable);
    if (issues.length > 0) return refuse({ code: "schema", detail: schemaDetail(issues), issues });
    const { repaired = false, damaged = false } = reading;
    const message = smsMessage(fields, { method, receivedAt, repaired, damaged }, settings);
    return { message, otherKeys: reading.otherKeys };
  };
}

function withoutHidden(callback: Callback | UnreadCallback, hidden: readonly string[]): Callback | UnreadCallback {
  if (hidden.length === 0 || callback.method !== "GET") return callback;
  const { query } = callback;
  if (typeof query === "string") return { method: "GET", query: withoutVariables(query, hidden) };
  return { method: "GET", query: Object.fromEntries(Object.entries(query).filter(([name]) => !hidden.includes(name))) };
}

/** Adds the unreadable fields. They are not also reported as missing. */
function withUnreadable(issues: readonly Issue[], unreadable: readonly Issue[]): readonly Issue[] {
  if (unreadable.length === 0) return issues;
  const unread = new Set(unreadable.map((issue) => issue.field));
  return [...unreadable, ...issues.filter((issue) => !unread.has(issue.field))];
}

function schemaDetail(issues: readonly Issue[]): string {
  return `Not a valid incoming-SMS callback: ${issues
    .slice(0, 3)
    .map((issue) => `${issue.field} ${issue.message}`)
    .join("; ")}.`;
}

function readContent(callback: Callback | UnreadCallback, readJsonBody: ReadJsonBody): Reading {
  if ("refusal" in callback) return callback;
  if (callback.method === "GET") {
    const { query } = callback;
    return typeof query === "string" ? readQuery(query, "in quotes") : readParsedVariables(query, "in quotes");
  }
  return readBody(callback.body, callback.contentType, readJsonBody);
}

function readBody(
  body: string | Uint8Array | object,
  contentType: string | undefined,
  readJsonBody: ReadJsonBody,
): Reading {
  const { format, charset } = mediaType(contentType);
  if (format === "unreadable") return { refusal: UNSUPPORTED };
  if (typeof body === "string") return readText(body, format, readJsonBody);
  if (types.isUint8Array(body)) {
    const decoded = decode(body, charset);
    if (decoded === undefined) return { refusal: UNKNOWN_CHARSET };
    const { text, marked } = decoded;
    if (marked === undefined) return readText(text, format, readJsonBody);
    return readDamaged(text, marked, (one) => readText(one, format, readJsonBody));
  }
  const parsed = propertiesOf(body);
  if (parsed === undefined) return { refusal: NOT_JSON };
  if (format !== "form") return readJsonBody.parsed(parsed);
  return Object.keys(parsed)[0]?.replace(BEFORE_CONTENT, "").startsWith("{") === true
    ? { refusal: JSON_AS_FORM }
    : readParsedVariables(parsed, "bare");
}

/** A copy, since the object is not ours; `undefined` if it is an array, or a property cannot be read. */
function propertiesOf(body: object): Readonly<Record<string, unknown>> | undefined {
  try {
    return Array.isArray(body) ? undefined : { ...body };
  } catch {
    return undefined;
  }
}

function readText(sent: string, format: MediaType["format"], readJsonBody: ReadJsonBody): Reading {
  const { isJson, text } = contentOf(sent, format);
  return isJson ? readJsonBody.text(text) : readQuery(text, "bare");
}

/** The complete content, of which the package keeps no other copy. */
function rawOf(callback: Callback | UnreadCallback): string | Uint8Array {
  if ("read" in callback) return textOrBytes(callback.read);
  const content = callback.method === "GET" ? callback.query : callback.body;
  if (typeof content === "string") return content;
  return types.isUint8Array(content) ? textOrBytes(content) : toJson(content);
}

function toJson(parsed: object): string {
  try {
    const json: unknown = JSON.stringify(parsed, (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
    // What has a `toJSON` may be nothing in JSON.
    return typeof json === "string" ? json : "";
  } catch {
    // It nests deeper than the stack is high, or a property cannot be read.
    // The object is nested too deeply for the stack.
    return "";
  }
}
