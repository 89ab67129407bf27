// The credentials that a caller sends: the options of every verb that calls an endpoint.

import { quoted } from "../provider/request.js";
import { wrongUse } from "./failure.js";
import { pairOf, secretOf, type Secret } from "./secrets.js";
import type { ValuesOf } from "./verb.js";

export const CREDENTIAL_OPTIONS = {
  header: { value: "NAME=VALUE", multiple: true, secret: true, help: "Sends a header." },
  query: { value: "NAME=VALUE", multiple: true, secret: true, help: "Adds a variable to the query." },
  basic: { value: "USER:PASSWORD", secret: true, help: "Sends Basic authentication." },
  bearer: { value: "TOKEN", secret: true, help: "Sends a bearer token." },
} as const;

export interface Credentials {
  readonly headers: Readonly<Record<string, Secret>>;
  readonly query: Readonly<Record<string, Secret>>;
}

/** @throws Failure if a secret cannot be resolved, or two options set one header */
export function credentialsOf(options: ValuesOf<typeof CREDENTIAL_OPTIONS>): Credentials {
  const headers = new Map<string, Secret>();
  const add = (name: string, secret: Secret): void => {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
      throw wrongUse("--header: that is no name of a header.", "Give NAME=VALUE.");
    if (/[^\t\x20-\x7e\x80-\xff]/.test(secret.value))
      throw wrongUse(`The value of the header ${name} has a character that no header can have.`, "Give another value.");
    if ([...headers.keys()].some((other) => other.toLowerCase() === name.toLowerCase()))
      throw wrongUse(`The header ${name} is given twice.`, "Give it once: --basic and --bearer set Authorization.");
    headers.set(name, secret);
  };
  for (const given of options.header) {
    const { name, value } = pairOf(given, "header");
    add(name, secretOf(value, "header"));
  }
  if (options.basic !== undefined) add("Authorization", basicOf(options.basic));
  if (options.bearer !== undefined) {
    const token = secretOf(options.bearer, "bearer");
    add("Authorization", {
      value: `Bearer ${token.value}`,
      shown: `Bearer ${token.shown}`,
      shell: `'Bearer '${token.shell}`,
      inUrl: token.inUrl,
    });
  }
  const query = Object.fromEntries(
    options.query.map((given) => {
      const { name, value } = pairOf(given, "query");
      return [name, secretOf(value, "query")];
    }),
  );
  return { headers: Object.fromEntries(headers), query };
}

/** A text in which no secret can be read: an endpoint may answer with what it got. */
export function withoutSecrets(text: string, { headers, query }: Credentials): string {
  const values = [...Object.values(headers), ...Object.values(query)].flatMap(({ value }) => {
    const token = /^(?:Basic|Bearer) (.*)$/s.exec(value)?.[1] ?? value;
    const pair = value.startsWith("Basic ") ? Buffer.from(token, "base64").toString() : "";
    return [token, pair, pair.slice(pair.indexOf(":") + 1)].flatMap((one) => [one, encodeURIComponent(one)]);
  });
  return values
    .filter((value) => value.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length)
    .reduce((hidden, value) => hidden.replaceAll(value, "(a secret)"), text);
}

/** What is shorter stands in any answer by chance. In characters. */
const SHORTEST_SECRET = 4;

function basicOf(given: string): Secret {
  const isWhole = /^(env:|@)/.test(given);
  const whole = isWhole ? secretOf(given, "basic") : undefined;
  const [, user, password] = /^([^:]*):(.*)$/s.exec(whole?.value ?? given) ?? [];
  if (user === undefined || password === undefined)
    throw wrongUse("--basic takes USER:PASSWORD.", "A user and a password, with a colon between them.");
  const secret = whole === undefined ? secretOf(password, "basic") : undefined;
  const encoded = Buffer.from(`${user}:${secret?.value ?? password}`).toString("base64");
  const plain = whole?.shell ?? `${quoted(`${user}:`)}${secret?.shell ?? ""}`;
  const shell = `"Basic $(printf %s ${plain} | base64 | tr -d '\\n')"`;
  return {
    value: `Basic ${encoded}`,
    shown: `Basic (user and password, in Base64)`,
    shell,
    inUrl: shell,
  };
}

/** Adds the variables to the query of a URL, without changing what is there. */
export function withQuery(url: string, query: Credentials["query"], of: (secret: Secret) => string): string {
  const pairs = Object.entries(query).map(([name, secret]) => `${encodeURIComponent(name)}=${of(secret)}`);
  if (pairs.length === 0) return url;
  return `${url}${url.includes("?") ? "&" : "?"}${pairs.join("&")}`;
}
