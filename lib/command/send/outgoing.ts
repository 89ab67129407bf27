// The request that `send` makes of a text, with the credentials of the caller: as it is sent, and as it is shown.

import { randomUUID } from "node:crypto";

import type { CallbackProfile, RenderedCallback } from "../../callback/template/profile.js";
import { ownQueryOf, renderText, type TypedSms } from "../../provider/render-text.js";
import { curlOf, type ExactRequest } from "../../provider/request.js";
import { credentialsOf, withoutSecrets, withQuery, type Credentials, type CREDENTIAL_OPTIONS } from "../credentials.js";
import { wrongUse } from "../failure.js";
import { profileIn } from "../module.js";
import { pairOf, type Secret } from "../secrets.js";
import type { ValuesOf } from "../verb.js";

export interface Outgoing {
  readonly request: ExactRequest;
  /** The same without secrets. */
  readonly shownRequest: ExactRequest;
  /** Hides the secrets in what the endpoint answers. */
  readonly hide: (text: string) => string;
  /** The command, in which a shell expands what was not typed. */
  readonly curl: () => string;
}

export type Given = ValuesOf<typeof CREDENTIAL_OPTIONS> &
  Readonly<Record<"keyword" | "source" | "recipient" | "method" | "escaping" | "profile", string | undefined>> & {
    readonly set: readonly string[];
  };

/** Makes the requests for a text: each call gives one with an id of its own. @throws Failure */
export async function outgoing(text: string, url: string, given: Given): Promise<() => Outgoing> {
  const method = oneOf("--method", given.method?.toUpperCase(), ["GET", "POST"]);
  const escaping = oneOf("--escaping", given.escaping, ["json", "none"]);
  const profile = given.profile === undefined ? undefined : await profileIn(given.profile);
  const set = Object.fromEntries(given.set.map((one) => pairOf(one, "set")).map(({ name, value }) => [name, value]));
  const shown = credentialsOf(given);
  const credentials = { ...shown, query: { ...secretsOfProfile(profile), ...shown.query } };
  const { source, recipient, keyword } = given;
  return () => {
    const sms: TypedSms = { text, source, recipient, keyword, set, others: printedValues() };
    const rendered = renderText(sms, { profile, method, escaping });
    const request = { ...rendered, url: at(url, rendered, profile) };
    return withCredentials(request, { values: profile?.headers ?? {}, from: "from the profile" }, credentials);
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

/** The variables in the endpoint's own query, which may be a secret. */
function secretsOfProfile(profile: CallbackProfile | undefined): Record<string, Secret> {
  const own = new URLSearchParams(profile === undefined ? "" : ownQueryOf(profile));
  return Object.fromEntries(
    [...own].map(([name, value]) => {
      const expanded = `"$${variableFor(name)}"`;
      return [name, { value, shown: "(from the profile)", shell: expanded, inUrl: expanded }];
    }),
  );
}

/**
 * The endpoint that was given, under GET with the rendered query, without what the endpoint of the profile has there.
 */
function at(url: string, { method, url: rendered }: RenderedCallback, profile: CallbackProfile | undefined): string {
  if (method === "POST") return url;
  const whole = rendered.slice(rendered.indexOf("?") + 1);
  const own = profile === undefined ? "" : ownQueryOf(profile);
  const query = own === "" ? whole : whole.slice(own.length + 1);
  return `${url}${url.includes("?") ? "&" : "?"}${query}`;
}

interface Elsewhere {
  readonly values: Readonly<Record<string, string>>;
  /** Where they stand, to be shown in their place. */
  readonly from: string;
}

/** @param elsewhere - headers whose values are secret, since they were not typed */
export function withCredentials(request: ExactRequest, elsewhere: Elsewhere, credentials: Credentials): Outgoing {
  const { headers, query } = credentials;
  const own = Object.fromEntries(
    Object.entries(request.headers).filter(
      ([name]) => !Object.keys(headers).some((one) => one.toLowerCase() === name.toLowerCase()),
    ),
  );
  const isSecret = (name: string): boolean => Object.hasOwn(elsewhere.values, name);
  const given = (of: (secret: Secret) => string): Record<string, string> => mapped(headers, of);
  return {
    request: {
      ...request,
      url: withQuery(request.url, query, ({ value }) => encodeURIComponent(value)),
      headers: { ...own, ...given(({ value }) => value) },
    },
    shownRequest: {
      ...request,
      url: withQuery(request.url, query, ({ shown }) => encodeURIComponent(shown)),
      headers: {
        ...Object.fromEntries(
          Object.entries(own).map(([name, value]) => [name, isSecret(name) ? `(${elsewhere.from})` : value]),
        ),
        ...given(({ shown }) => shown),
      },
    },
    hide: (text) => withoutSecrets(text, credentials),
    curl: () =>
      curlOf(
        { ...request, headers: { ...own, ...given(({ value }) => value) } },
        {
          headers: {
            ...Object.fromEntries(
              Object.keys(own)
                .filter(isSecret)
                .map((name) => [name, `"$${variableFor(name)}"`]),
            ),
            ...given(({ shell }) => shell),
          },
          query: Object.entries(mapped(query, ({ inUrl }) => inUrl)),
        },
      ),
  };
}

function mapped(secrets: Readonly<Record<string, Secret>>, of: (secret: Secret) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, of(secret)]));
}

/** A variable of the shell, for a value that stands in the profile only. */
function variableFor(header: string): string {
  return header
    .toUpperCase()
    .replaceAll(/[^A-Z\d]+/g, "_")
    .replace(/^(?=\d)/, "_");
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
