// From a text that a subscriber typed to the request that the provider sends for it.

import { randomUUID } from "node:crypto";

import { invalidArgument } from "../base/errors.js";
import { callbackProfile, type CallbackProfile, type RenderedCallback } from "../callback/template/profile.js";
import { MOST_PARTS } from "../callback/template/template.js";
import { splitWords } from "../callback/words.js";

/** An SMS as the provider knows it. Numbers are written as the provider writes them. */
export interface TypedSms {
  readonly text: string;
  /** Default: a new one. */
  readonly id?: string | undefined;
  /** Default: `"919876543210"`. */
  readonly source?: string | undefined;
  /** Default: `"919812345678"`. */
  readonly recipient?: string | undefined;
  /** The keyword configured in the console. Default: none. */
  readonly keyword?: string | undefined;
  /** Further values under their wire names. */
  readonly set?: Readonly<Record<string, string>> | undefined;
  /** The same, but those that the profile does not request are left out. */
  readonly others?: Readonly<Record<string, string>> | undefined;
}

export interface HowToRender {
  /** Default: what the provider's page prints for `method`. */
  readonly profile?: CallbackProfile | undefined;
  /** Default: that of the profile, or `"POST"`. */
  readonly method?: "GET" | "POST" | undefined;
  /** Default: `"json"`. */
  readonly escaping?: "json" | "none" | undefined;
}

/** Endpoint of a profile that was not given: a caller that sends to one of its own replaces it. */
const SOME_ENDPOINT = "https://your.domain/sms";

/**
 * Renders the request for an SMS. By GET without a profile, the provider passes the keyword and the words, but not the
 * text.
 *
 * @throws TypeError if the profile has another method, or does not request a value that was given
 */
export function renderText(sms: TypedSms, { profile, method, escaping }: HowToRender = {}): RenderedCallback {
  if (profile !== undefined && method !== undefined && profile.method !== method)
    throw invalidArgument(`The profile is one of ${profile.method}: it cannot send by ${method}.`);
  const { text, id, source = "919876543210", recipient = "919812345678", keyword, set, others } = sms;
  const used = profile ?? printedProfile(method ?? "POST", text);
  const offered = Object.entries({ id: randomUUID(), status: "SENT", ...others, source, recipient });
  const values = {
    ...Object.fromEntries(offered.filter(([name]) => used.fields.includes(name))),
    // The words of the text are its parts, also where the profile does not request the text itself.
    ...(used.fields.includes("message") ? { message: text } : partsOf(used, text)),
    // Those that were given: `render` throws if the profile does not request them.
    ...(id === undefined ? {} : { id }),
    ...(keyword === undefined ? {} : { keyword }),
    ...set,
  };
  return used.render(values, { escaping });
}

/** What the provider's page prints for the console; of GET with as many parts as there are words. */
function printedProfile(method: "GET" | "POST", text: string): CallbackProfile {
  if (method === "POST") return callbackProfile({ method, url: SOME_ENDPOINT });
  const parts = Math.min(splitWords(text).length, MOST_PARTS);
  const fields = ["id", "source", "recipient", "status", "keyword"];
  return callbackProfile({ method, url: SOME_ENDPOINT, fields, parts });
}

function partsOf({ template }: CallbackProfile, text: string): Record<string, string> {
  const words = splitWords(text).map((word, index) => [`parts[${index + 1}]`, word] as const);
  return Object.fromEntries(words.filter(([part]) => template.members.some(({ name }) => name === part)));
}

/** The query that the user wrote into the URL of the profile, without what the provider fills in. */
export function ownQueryOf({ method, endpoint, template }: CallbackProfile): string {
  const query = /\?(.*)$/s.exec(endpoint)?.[1] ?? "";
  // Under GET, the endpoint ends with a variable a member.
  return method === "GET" ? query.split("&").slice(0, -template.members.length).join("&") : query;
}
