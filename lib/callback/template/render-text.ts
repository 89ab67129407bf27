// Renders the callback that the provider would send for a text that a subscriber typed.

import { splitWords } from "../words.js";
import { callbackProfile, type CallbackProfile, type RenderedCallback } from "./profile.js";
import { MOST_PARTS } from "./template.js";

interface Typed {
  readonly text: string;
  /** By which to send where there is no profile. */
  readonly method: "GET" | "POST";
  /** Values that are left out if the profile does not request them. */
  readonly offered: Readonly<Record<string, string>>;
  /** Values that the profile must request. */
  readonly required: Readonly<Record<string, string>>;
  readonly escaping: "json" | "none";
}

/**
 * @param profile - `undefined`: the one on the provider's page, whose GET passes the keyword and the words, but not the text
 * @throws TypeError if the profile does not request a required value
 */
export function renderText(profile: CallbackProfile | undefined, typed: Typed): RenderedCallback {
  const { text, method, offered, required, escaping } = typed;
  const used = profile ?? printedProfile(method, text);
  const values = {
    ...Object.fromEntries(Object.entries(offered).filter(([name]) => used.fields.includes(name))),
    // The words of the text are its parts, also where the profile does not request the text itself.
    ...(used.fields.includes("message") ? { message: text } : partsOf(used, text)),
    ...required,
  };
  return used.render(values, { escaping });
}

/** What the provider's page prints for the console; of GET with as many parts as there are words. */
function printedProfile(method: "GET" | "POST", text: string): CallbackProfile {
  const url = "https://your.domain/sms";
  if (method === "POST") return callbackProfile({ method, url });
  const parts = Math.min(splitWords(text).length, MOST_PARTS);
  return callbackProfile({ method, url, fields: ["id", "source", "recipient", "status", "keyword"], parts });
}

function partsOf({ template }: CallbackProfile, text: string): Record<string, string> {
  const words = splitWords(text).map((word, index) => [`parts[${index + 1}]`, word] as const);
  return Object.fromEntries(words.filter(([part]) => template.members.some(({ name }) => name === part)));
}
