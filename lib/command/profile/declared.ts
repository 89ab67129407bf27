// The code's side of a profile: what --profile or --url declare.

import { callbackProfile, type CallbackProfile } from "../../callback/template/profile.js";
import { isFixedUrl, isStatic, STATICS_TAKE, URL_TAKES } from "../../callback/template/profile-options.js";
import { MOST_PARTS } from "../../callback/template/template.js";
import { wrongUse } from "../failure.js";
import { profileIn } from "../module.js";
import { pairOf, secretOf } from "../secrets.js";
import type { ValuesOf } from "../verb.js";

export const DECLARED_OPTIONS = {
  profile: { value: "FILE", help: "A module that exports a callbackProfile(), as profile or default." },
  url: { value: "URL", help: "The endpoint, in place of --profile: with all fields." },
  method: { value: "METHOD", help: "GET or POST, with --url. Default: POST." },
  parts: { value: "N", help: "How many of parts[1], parts[2], ... to request, with --url. Default: 0." },
  static: { value: "NAME=VALUE", multiple: true, help: "A field with a fixed value, with --url." },
  header: { value: "NAME=VALUE", multiple: true, secret: true, help: "A custom header, beside those of --profile." },
} as const;

export interface Declared {
  readonly profile: CallbackProfile;
  /** The names of the headers, each with a note where its value comes from. */
  readonly origins: Readonly<Record<string, string>>;
}

/** @throws Failure, or the TypeError of callbackProfile */
export async function declared(options: ValuesOf<typeof DECLARED_OPTIONS>): Promise<Declared> {
  const { profile: file, url, method = "POST", parts = "0" } = options;
  if ((file === undefined) === (url === undefined))
    throw wrongUse(
      "The code's side of the profile is given by either --profile or --url.",
      "For instance --profile dist/profile.js, or --url https://your.domain/sms.",
    );
  const given = options.header.map((one) => {
    const { name, value } = pairOf(one, "header");
    return { name, ...secretOf(value, "header") };
  });
  const headers = Object.fromEntries(given.map(({ name, value }) => [name, value]));
  const origins = Object.fromEntries(given.map(({ name, shown }) => [name, shown]));
  if (url !== undefined) {
    if (!isFixedUrl(url)) throw wrongUse(`--url takes ${URL_TAKES}.`, "For instance --url https://your.domain/sms.");
    if (!/^\d{1,3}$/.test(parts) || Number(parts) > MOST_PARTS)
      throw wrongUse(`--parts takes a whole number, at most ${MOST_PARTS}.`, "For instance --parts 2.");
    const statics = options.static.map((one) => pairOf(one, "static")).map(({ name, value }) => [name, value] as const);
    if (!statics.every(([name, value]) => isStatic(name, value)))
      throw wrongUse(`--static takes NAME=VALUE: ${STATICS_TAKE}.`, "For instance --static tenant=acme.");
    const profile = callbackProfile({
      method: methodOf(method),
      url,
      parts: Number(parts),
      statics: Object.fromEntries(statics),
      headers,
    });
    return { profile, origins };
  }
  for (const name of ["method", "parts"] as const) if (options[name] !== undefined) throw notWithProfile(name);
  if (options.static.length > 0) throw notWithProfile("static");
  const profile = await profileIn(file ?? "");
  const whole = withHeaders(profile, headers);
  const names = Object.keys(whole.headers);
  return {
    profile: whole,
    origins: Object.fromEntries(names.map((name) => [name, origins[name] ?? "(the value in your code)"])),
  };
}

function methodOf(given: string): "GET" | "POST" {
  const method = given.toUpperCase();
  if (method === "GET" || method === "POST") return method;
  throw wrongUse("--method takes GET or POST.", "Give one of them.");
}

function notWithProfile(name: string): Error {
  return wrongUse(`--${name} goes with --url: the module of --profile says it itself.`, `Leave out --${name}.`);
}

/** The same profile with more headers. */
function withHeaders(profile: CallbackProfile, headers: Readonly<Record<string, string>>): CallbackProfile {
  if (Object.keys(headers).length === 0) return profile;
  const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const own = Object.entries(profile.headers).filter(([name]) => !given.has(name.toLowerCase()));
  const all = { headers: { ...Object.fromEntries(own), ...headers } };
  return profile.body === undefined
    ? callbackProfile.parse(profile.endpoint, all)
    : callbackProfile.parse(profile.body, { ...all, url: profile.endpoint });
}
