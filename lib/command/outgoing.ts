// What `send` sends: a text through a profile, or a recorded callback, with what the caller shows to be let in.

import { randomUUID } from "node:crypto";

import type { RenderedCallback } from "../callback/template/profile.js";
import { renderText, type TypedSms } from "../provider/render-text.js";
import type { ExactRequest } from "../provider/request.js";
import { readSaved } from "../provider/saved-callback.js";
import { credentialsOf, withQuery, type Credentials, type CREDENTIAL_OPTIONS } from "./credentials.js";
import { wrongUse } from "./failure.js";
import { profileIn } from "./module.js";
import { pairOf, type Secret } from "./secrets.js";
import { DEFAULT_TARGET } from "./target.js";
import type { ValuesOf } from "./verb.js";

export interface Outgoing {
  readonly request: ExactRequest;
  /** The same without secrets. */
  readonly shownRequest: ExactRequest;
  /** Headers whose values a shell expands. */
  readonly shell: Readonly<Record<string, string>>;
}

type Given = ValuesOf<typeof CREDENTIAL_OPTIONS> &
  Readonly<Record<"keyword" | "source" | "recipient" | "method" | "escaping" | "profile", string | undefined>> & {
    readonly set: readonly string[];
  };

/** Makes the requests for a text: each call gives one with an id of its own. @throws Failure */
export async function outgoing(text: string, url: string, given: Given): Promise<() => Outgoing> {
  const method = oneOf("--method", given.method?.toUpperCase(), ["GET", "POST"]);
  const escaping = oneOf("--escaping", given.escaping, ["json", "none"]);
  const profile = given.profile === undefined ? undefined : await profileIn(given.profile);
  const set = Object.fromEntries(given.set.map((one) => pairOf(one, "set")).map(({ name, value }) => [name, value]));
  const credentials = credentialsOf(given);
  const { source, recipient, keyword } = given;
  return () => {
    const sms: TypedSms = { text, source, recipient, keyword, set, others: printedValues() };
    const rendered = renderText(sms, { profile, method, escaping });
    return withCredentials({ ...rendered, url: at(url, rendered) }, rendered.headers, credentials);
  };
}

/** The values that the provider's page prints, with the time of now. */
function printedValues(): Record<string, string> {
  return {
    description: "Message has been sent",
    status_trace: "SENT",
    kid: randomUUID(),
    operator: "JIO",
    circle: "JIO ASSAM",
    timestamp: new Date().toISOString().slice(0, 19).replace("T", " "),
  };
}

/** The endpoint that was given, under GET with the rendered query. */
function at(url: string, { method, url: rendered }: RenderedCallback): string {
  if (method === "POST") return url;
  const query = rendered.slice(rendered.indexOf("?") + 1);
  return `${url}${url.includes("?") ? "&" : "?"}${query}`;
}

function withCredentials(
  request: ExactRequest,
  ofProfile: Readonly<Record<string, string>>,
  credentials: Credentials,
): Outgoing {
  const { headers, query } = credentials;
  const own = Object.fromEntries(
    Object.entries(request.headers).filter(
      ([name]) => !Object.keys(headers).some((one) => one.toLowerCase() === name.toLowerCase()),
    ),
  );
  const isSecret = (name: string): boolean => name in ofProfile && name !== "Content-Type";
  const map = (of: (secret: Secret) => string): Record<string, string> =>
    Object.fromEntries(Object.entries(headers).map(([name, secret]) => [name, of(secret)]));
  return {
    request: {
      ...request,
      url: withQuery(request.url, query, ({ value }) => encodeURIComponent(value)),
      headers: { ...own, ...map(({ value }) => value) },
    },
    shownRequest: {
      ...request,
      url: withQuery(request.url, query, ({ shown }) => encodeURIComponent(shown)),
      headers: {
        ...Object.fromEntries(
          Object.entries(own).map(([name, value]) => [name, isSecret(name) ? "(from the profile)" : value]),
        ),
        ...map(({ shown }) => shown),
      },
    },
    shell: map(({ shell }) => shell),
  };
}

function oneOf<const Value extends string>(
  option: string,
  given: string | undefined,
  values: readonly Value[],
): Value | undefined {
  const value = values.find((one) => one === given);
  if (given !== undefined && value === undefined)
    throw wrongUse(`${option} takes ${values.join(" or ")}.`, "Give one of them.");
  return value;
}

/** A recorded callback, sent to the endpoint that was given, or to its own path on this machine. @throws Failure */
export function recorded(file: string, url: string | undefined, given: Given): () => Outgoing {
  const saved = readSaved(file, "--from");
  const query = saved.url.includes("?") ? saved.url.slice(saved.url.indexOf("?") + 1) : "";
  const headers = Object.fromEntries(Object.entries(saved.headers).filter(([name]) => !OF_THE_CONNECTION.test(name)));
  const changes = given.set.map((one) => pairOf(one, "set"));
  const isGet = saved.method === "GET";
  const changed = changes.reduce(
    (text, change) => withField(text, change),
    isGet ? query : Buffer.from(saved.body).toString("latin1"),
  );
  const endpoint = url ?? `${new URL(DEFAULT_TARGET).origin}${saved.url.replace(/\?.*$/s, "")}`;
  const sentQuery = isGet ? changed : query;
  const request: ExactRequest = {
    method: saved.method,
    url: sentQuery === "" ? endpoint : `${endpoint}${endpoint.includes("?") ? "&" : "?"}${sentQuery}`,
    headers,
    ...(isGet ? {} : { body: Buffer.from(changed, "latin1") }),
  };
  const whole = withCredentials(request, {}, credentialsOf(given));
  return () => whole;
}

/** Headers that belong to the connection on which the callback came. */
const OF_THE_CONNECTION = /^(host|connection|content-length|transfer-encoding|keep-alive|expect|accept-encoding)$/i;

/**
 * Changes one field where it stands, and no other byte. The text has a character for each byte.
 *
 * @throws Failure unless the field is there exactly once: nothing is guessed
 */
function withField(text: string, { name, value }: { readonly name: string; readonly value: string }): string {
  const isJson = /^\s*\{/.test(text);
  const bytes = Buffer.from(isJson ? JSON.stringify(value).slice(1, -1) : encodeURIComponent(value)).toString("latin1");
  const spelling = [name, encodeURIComponent(name)]
    .map((one) => one.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("|");
  const member = isJson
    ? new RegExp(`((?<!\\\\)"(?:${spelling})"\\s*:\\s*")((?:[^"\\\\]|\\\\.)*)(?=")`, "gs")
    : new RegExp(`((?:^|&)(?:${spelling})=)([^&]*)`, "g");
  const found = [...text.matchAll(member)];
  if (found.length !== 1)
    throw wrongUse(
      found.length === 0
        ? `--set: the callback has no field ${name}.`
        : `--set: the callback has ${name} more than once.`,
      "Only a field that is there exactly once can be changed.",
    );
  return text.replace(member, (_all, head: string) => `${head}${bytes}`);
}
