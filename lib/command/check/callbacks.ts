// The callbacks that `check` sends. Their ids begin alike and their source is no number of anybody's: an app can
// recognize and delete them.

import { randomBytes } from "node:crypto";

import type { CallbackProfile } from "../../callback/template/profile.js";
import { renderText, type TypedSms } from "../../provider/render-text.js";
import type { Request } from "./endpoint.js";

export const ID_PREFIX = "express-kaleyra-sms-check-";
export const SOURCE = "910000000000";
export const RECIPIENT = "910000000001";

const JSON_TYPE = { "Content-Type": "application/json" };

/** The fields of a rendered body. */
type Fields = Readonly<Record<string, string>>;

export class Callbacks {
  /** In every id and text of this run, so that an answer that repeats one of them is recognized. */
  readonly nonce = randomBytes(6).toString("hex");
  readonly profile: CallbackProfile | undefined;
  #count = 0;

  constructor(profile: CallbackProfile | undefined) {
    this.profile = profile;
  }

  /** Begins the ids of this run. */
  get idPrefix(): string {
    return `${ID_PREFIX}${this.nonce}-`;
  }

  /** A text that no keyword of an app begins with. */
  text(typed: string): string {
    return `express-kaleyra-sms check ${this.nonce}: ${typed}`;
  }

  /** A callback by POST as the provider renders it. */
  post(text = this.text("hello"), escaping: "json" | "none" = "json", set: TypedSms["set"] = {}): Request {
    const { body } = renderText(this.#sms(text, set), { profile: this.profile, method: "POST", escaping });
    return { method: "POST", headers: JSON_TYPE, body };
  }

  /** A callback by POST whose body is made from the fields of a good one. */
  postFrom(
    bodyOf: (fields: Fields, json: string) => string | Uint8Array,
    headers: Request["headers"] = JSON_TYPE,
  ): Request {
    const json = String(this.post().body);
    // What is rendered with "json" is valid JSON.
    return { method: "POST", headers, body: bodyOf(JSON.parse(json) as Fields, json) };
  }

  /** The same fields as a form. */
  postForm(more = ""): Request {
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    return this.postFrom((fields) => `${new URLSearchParams(fields).toString()}${more}`, headers);
  }

  /** A callback by GET as the provider renders it. */
  get(text = this.text("hello"), change: (query: string) => string = (query) => query): Request {
    const { url } = renderText(this.#sms(text, {}), { profile: this.profile, method: "GET" });
    return { method: "GET", query: change(url.slice(url.indexOf("?") + 1)) };
  }

  /** Whether the profile requests a field. */
  requests(name: string): boolean {
    return this.profile?.fields.includes(name) ?? true;
  }

  #sms(text: string, set: TypedSms["set"]): TypedSms {
    this.#count += 1;
    const id = this.requests("id") ? `${this.idPrefix}${this.#count}` : undefined;
    return { text, id, source: SOURCE, recipient: RECIPIENT, set, others: OTHERS };
  }
}

/** What the provider's page prints. */
const OTHERS = {
  description: "Message has been sent",
  status_trace: "SENT",
  kid: "90e74b4c-8865-4a96-85b6-44000000008f",
  operator: "JIO",
  circle: "JIO ASSAM",
  timestamp: "2025-04-17 18:35:20",
};

export function without<Value>(record: Readonly<Record<string, Value>>, name: string): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).filter(([one]) => one !== name));
}
