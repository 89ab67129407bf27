// Validates options.authenticate, and sorts its demands by kind.

import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

import { invalidOption } from "../base/errors.js";
import { isHeaderName } from "../base/header.js";
import { isRecord } from "../base/record.js";

/** A custom HTTP header of the Callback Profile that carries a secret. */
interface HeaderSecret {
  /** The header's name, in any case. */
  readonly header: string;
  /** Not empty. It may be typed `undefined`, as `process.env.X` is: if it is, a `TypeError` names it. */
  readonly value: string | undefined;
}

/** A variable of the endpoint's query that carries a secret. It is removed from everything that handlers get. */
interface QuerySecret {
  /** The variable's name. It must not be the name of a field. */
  readonly query: string;
  /** As in a header. */
  readonly value: string | undefined;
}

/** The provider's Basic authentication. */
interface BasicCredentials {
  readonly basic: { readonly username: string | undefined; readonly password: string | undefined };
}

interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The provider's Advanced authentication: the token that your token URL issues, or a function that checks a token. */
interface BearerToken {
  readonly bearer: string | undefined | ((token: string) => boolean | Promise<boolean>);
}

/**
 * The addresses that may call: single addresses and CIDR ranges, IPv4 and IPv6. Compared with `req.ip`, or with the
 * address of the connection if there is no Express.
 */
interface AllowedAddresses {
  readonly allow: readonly string[];
}

/**
 * A check of your own. It must return `true`, or a promise of it.
 * Under Express it gets Express's request: annotate the parameter, `(req: Request) => ...`.
 */
type CallerCheck = { check(req: IncomingMessage): boolean | Promise<boolean> }["check"];

/** The same for `sms.fetch`: it gets the `Request`, as which its parameter must be annotated. */
interface RequestCheck {
  (request: Request): boolean | Promise<boolean>;
  // TypeScript infers no parameter from a type with two signatures: one that is not annotated stays an IncomingMessage.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the two must differ
  <Given extends Request>(request: Given): boolean | Promise<boolean>;
}

type Entry = HeaderSecret | QuerySecret | BasicCredentials | BearerToken | AllowedAddresses;
type Name<Shape> = Shape extends unknown ? keyof Shape : never;
/** Each kind without the properties of the other kinds. */
type Only<Shape> = Shape extends unknown
  ? Shape & Readonly<Partial<Record<Exclude<Name<Entry>, keyof Shape>, undefined>>>
  : never;

/**
 * One demand on a caller:
 *
 * - `{ header, value }`: a custom HTTP header of the Callback Profile has the secret `value`.
 * - `{ query, value }`: a variable of the endpoint's query has it. It is removed from everything that handlers get.
 * - `{ basic: { username, password } }`: the provider's Basic authentication.
 * - `{ bearer }`: the provider's Advanced authentication. It is the token that your token URL issues, or a function of
 *   the token that returns `true` or a promise of it.
 * - `{ allow: ["192.0.2.1", "198.51.100.0/24"] }`: the addresses that may call, IPv4 or IPv6. `req.ip` is compared, or
 *   the address of the connection if there is no Express.
 * - A function of the request, which returns `true` or a promise of it. Under `sms.fetch`, it gets the `Request`.
 *
 * Secrets may be typed `undefined`, as `process.env.X` is: one that is unset or empty is a `TypeError` that names it.
 *
 * @example
 * const sms = incomingSms({ authenticate: { header: "X-Callback-Token", value: process.env.CALLBACK_TOKEN } });
 */
export type Authentication = Only<Entry> | CallerCheck | RequestCheck;

/** All demands. Each must be met, by any of its alternatives. Each function in `checks` is a demand of its own. */
export interface Demanded {
  /** The secrets by the name of their header, in lower case. */
  readonly headers: Map<string, string[]>;
  /** The secrets by the name of their variable. */
  readonly variables: Map<string, string[]>;
  readonly basic: Credentials[];
  readonly tokens: string[];
  readonly tokenChecks: Array<(token: string) => unknown>;
  readonly addresses: string[];
  readonly checks: Array<(req: IncomingMessage | Request) => unknown>;
}

const KINDS =
  "{ header, value }, { query, value }, { basic: { username, password } }, { bearer: a token or a function }, " +
  "{ allow: [an address or a CIDR range, ...] }, and a function";

/**
 * @param isField - whether a variable of that name is a field of the callback
 * @throws TypeError if `given` is not valid; the error names the wrong property, but never its value
 */
export function readAuthentication(given: unknown, isField: (name: string) => boolean): Demanded {
  const demanded: Demanded = {
    headers: new Map(),
    variables: new Map(),
    basic: [],
    tokens: [],
    tokenChecks: [],
    addresses: [],
    checks: [],
  };
  const place = "options.authenticate";
  const entries: unknown[] = Array.isArray(given) ? given : [given];
  if (entries.length === 0) throw invalidOption(`${place} is empty: it takes one or more of ${KINDS}; or false.`);
  entries.forEach((entry, n) => sortIn(demanded, entry, Array.isArray(given) ? `${place}[${n}]` : place, isField));
  if (demanded.basic.length > 0 && demanded.tokens.length + demanded.tokenChecks.length > 0) {
    throw invalidOption(
      `${place} demands basic and bearer. Both use the Authorization header, which a request has once: choose one.`,
    );
  }
  return demanded;
}

function sortIn(demanded: Demanded, entry: unknown, place: string, isField: (name: string) => boolean): void {
  if (typeof entry === "function") {
    demanded.checks.push(entry as (req: unknown) => unknown);
    return;
  }
  const kind = isRecord(entry) ? kindOf(entry) : undefined;
  if (!isRecord(entry) || kind === undefined) {
    throw invalidOption(`${place} takes one of ${KINDS}. A value from the environment may not be set there.`);
  }
  const { header, query, value, basic, bearer, allow } = entry;
  if (kind === "header") {
    add(demanded.headers, headerName(header, `${place}.header`), printable(value, `${place}.value`));
  } else if (kind === "query") {
    const name = text(query, `${place}.query`);
    if (isField(name)) throw invalidOption(`${place}.query is the name of a field of the callback: choose another.`);
    add(demanded.variables, name, text(value, `${place}.value`));
  } else if (kind === "basic") {
    demanded.basic.push(credentials(basic, `${place}.basic`));
  } else if (kind === "allow") {
    if (!Array.isArray(allow) || allow.length === 0)
      throw invalidOption(`${place}.allow takes an array of addresses and CIDR ranges, at least one.`);
    allow.forEach((range: unknown, n) => demanded.addresses.push(addressRange(range, `${place}.allow[${n}]`)));
  } else if (typeof bearer === "function") {
    demanded.tokenChecks.push(bearer as (token: string) => unknown);
  } else {
    demanded.tokens.push(token(bearer, `${place}.bearer`));
  }
}

const NAMES_OF_KINDS = {
  header: ["header", "value"],
  query: ["query", "value"],
  basic: ["basic"],
  bearer: ["bearer"],
  allow: ["allow"],
} as const satisfies Record<string, readonly string[]>;
type Kind = keyof typeof NAMES_OF_KINDS;

/** `undefined` if an entry is of no kind, or mixes two kinds. Properties that are `undefined` do not count. */
function kindOf(entry: Record<string, unknown>): Kind | undefined {
  const given = namesIn(entry);
  // If nothing is set, as in `{ bearer: process.env.TOKEN }`, the error names what was to be set.
  const names = given.length > 0 ? given : Object.keys(entry);
  return (Object.keys(NAMES_OF_KINDS) as Kind[]).find(
    (kind) => names.includes(kind) && names.every((name) => NAMES_OF_KINDS[kind].some((own) => own === name)),
  );
}

function namesIn(entry: Record<string, unknown>): string[] {
  return Object.keys(entry).filter((name) => entry[name] !== undefined);
}

function add(secrets: Map<string, string[]>, name: string, secret: string): void {
  secrets.set(name, [...(secrets.get(name) ?? []), secret]);
}

function headerName(given: unknown, place: string): string {
  if (isHeaderName(given)) return given.toLowerCase();
  throw invalidOption(`${place} takes the name of an HTTP header.`);
}

function text(given: unknown, place: string): string {
  if (typeof given === "string" && given !== "" && given.isWellFormed()) return given;
  throw invalidOption(
    `${place} takes a string that is not empty. ` +
      "If it comes from the environment, set it there before the app starts: `openssl rand -hex 32` makes a secret.",
  );
}

function printable(given: unknown, place: string): string {
  if (/^[!-~](?:[ -~]*[!-~])?$/.test(text(given, place))) return given as string;
  throw invalidOption(
    `${place} takes printable ASCII without white space at its ends: a header cannot contain anything else.`,
  );
}

function token(given: unknown, place: string): string {
  if (/^[!-~]+$/.test(text(given, place))) return given as string;
  throw invalidOption(`${place} takes a token, printable ASCII without white space, or a function that checks one.`);
}

function credentials(given: unknown, place: string): Credentials {
  if (!isRecord(given) || Object.keys(given).sort().join() !== "password,username")
    throw invalidOption(`${place} takes { username, password }.`);
  const username = text(given.username, `${place}.username`);
  if (username.includes(":"))
    throw invalidOption(`${place}.username takes a string without ":": in Basic, it ends the username.`);
  return { username, password: text(given.password, `${place}.password`) };
}

function addressRange(given: unknown, place: string): string {
  const [address = "", length, ...rest] = typeof given === "string" ? given.split("/") : [];
  const bits = isIP(address) === 4 ? 32 : 128;
  // A zone such as `%eth0` has a meaning on one machine only.
  const isAddress = isIP(address) !== 0 && !address.includes("%");
  const isLength = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits);
  if (isAddress && isLength && rest.length === 0) return given as string;
  throw invalidOption(`${place} takes an IP address or a CIDR range, such as "203.0.113.0/24" or "2001:db8::/32".`);
}
