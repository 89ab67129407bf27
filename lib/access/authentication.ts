// What options.authenticate takes, checked and sorted by what it demands of a caller.

import type { IncomingMessage } from "node:http";
import { validateHeaderName } from "node:http";
import { isIP } from "node:net";

import { isRecord } from "../record.js";

/** A custom HTTP header of the Callback Profile that holds a secret. */
interface HeaderSecret {
  /** The header's name, in any case. */
  readonly header: string;
  readonly value: string;
}

/** A variable of the endpoint's query that holds a secret. It is taken out of all that the package gives out. */
interface QuerySecret {
  /** The variable's name: not that of a field. */
  readonly query: string;
  readonly value: string;
}

/** The provider's Basic authentication. */
interface BasicCredentials {
  readonly basic: { readonly username: string; readonly password: string };
}

/** The provider's Advanced authentication: the token that your token URL gave out, or a function that tells whether a token is one. */
interface BearerToken {
  readonly bearer: string | ((token: string) => boolean | Promise<boolean>);
}

/** The addresses that may call: single ones and CIDR ranges, IPv4 and IPv6. Compared with `req.ip`, without Express with the connection's. */
interface AllowedAddresses {
  readonly allow: readonly string[];
}

/** A check of your own; it must give `true`. Under Express it gets Express's request, and may say so in its type. */
export type CallerCheck = { check(req: IncomingMessage): boolean | Promise<boolean> }["check"];

/** One demand on a caller. */
export type Authentication =
  HeaderSecret | QuerySecret | BasicCredentials | BearerToken | AllowedAddresses | CallerCheck;

/** All demands; where one names several things, any of them will do. */
export interface Demanded {
  /** By name, in lower case. */
  readonly headers: Map<string, string[]>;
  /** By name. */
  readonly variables: Map<string, string[]>;
  readonly basic: Array<BasicCredentials["basic"]>;
  readonly tokens: string[];
  readonly tokenChecks: Array<(token: string) => unknown>;
  readonly addresses: string[];
  readonly checks: CallerCheck[];
}

const KINDS =
  "{ header, value }, { query, value }, { basic: { username, password } }, { bearer: a token or a function }, { allow: [an address or a CIDR range, ...] }, and a function";

/**
 * @param isField - whether a variable of that name is a field of the callback
 * @throws TypeError where something else is given; it names the place, and never what stands there
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
  if (entries.length === 0) throw new TypeError(`${place} is empty: it takes one or several of ${KINDS}; or false.`);
  entries.forEach((entry, n) => sortIn(demanded, entry, Array.isArray(given) ? `${place}[${n}]` : place, isField));
  if (demanded.basic.length > 0 && demanded.tokens.length + demanded.tokenChecks.length > 0) {
    throw new TypeError(
      `${place} demands basic and bearer, and both are the Authorization header, which stands in a request once: choose one.`,
    );
  }
  return demanded;
}

function sortIn(demanded: Demanded, entry: unknown, place: string, isField: (name: string) => boolean): void {
  if (typeof entry === "function") {
    demanded.checks.push(entry as CallerCheck);
    return;
  }
  const keys = isRecord(entry) ? Object.keys(entry).sort().join() : "";
  if (!isRecord(entry) || !["header,value", "query,value", "basic", "bearer", "allow"].includes(keys))
    throw new TypeError(`${place} takes one of ${KINDS}.`);
  const { header, query, value, basic, bearer, allow } = entry;
  if (keys === "header,value") {
    add(demanded.headers, headerName(header, `${place}.header`), printable(value, `${place}.value`));
  } else if (keys === "query,value") {
    const name = text(query, `${place}.query`);
    if (isField(name)) throw new TypeError(`${place}.query is the name of a field of the callback: choose another.`);
    add(demanded.variables, name, text(value, `${place}.value`));
  } else if (keys === "basic") {
    demanded.basic.push(credentials(basic, `${place}.basic`));
  } else if (keys === "allow") {
    if (!Array.isArray(allow) || allow.length === 0)
      throw new TypeError(`${place}.allow takes an array of addresses and CIDR ranges, at least one.`);
    allow.forEach((range: unknown, n) => demanded.addresses.push(addressRange(range, `${place}.allow[${n}]`)));
  } else if (typeof bearer === "function") {
    demanded.tokenChecks.push(bearer as (token: string) => unknown);
  } else {
    demanded.tokens.push(token(bearer, `${place}.bearer`));
  }
}

function add(secrets: Map<string, string[]>, name: string, secret: string): void {
  secrets.set(name, [...(secrets.get(name) ?? []), secret]);
}

function headerName(given: unknown, place: string): string {
  try {
    validateHeaderName(given as string);
    return (given as string).toLowerCase();
  } catch {
    throw new TypeError(`${place} takes the name of an HTTP header.`);
  }
}

function text(given: unknown, place: string): string {
  if (typeof given === "string" && given !== "" && given.isWellFormed()) return given;
  throw new TypeError(`${place} takes a text that is not empty. If it comes from the environment, is it set there?`);
}

function printable(given: unknown, place: string): string {
  if (/^[!-~](?:[ -~]*[!-~])?$/.test(text(given, place))) return given as string;
  throw new TypeError(
    `${place} takes printable ASCII without white space at its ends: a header can hold nothing else.`,
  );
}

function token(given: unknown, place: string): string {
  if (/^[!-~]+$/.test(text(given, place))) return given as string;
  throw new TypeError(`${place} takes a token, printable ASCII without white space, or a function that checks one.`);
}

function credentials(given: unknown, place: string): BasicCredentials["basic"] {
  if (!isRecord(given) || Object.keys(given).sort().join() !== "password,username")
    throw new TypeError(`${place} takes { username, password }.`);
  const username = text(given.username, `${place}.username`);
  if (username.includes(":")) throw new TypeError(`${place}.username takes a text without ":": Basic ends it there.`);
  return { username, password: text(given.password, `${place}.password`) };
}

function addressRange(given: unknown, place: string): string {
  const [address = "", length, ...rest] = typeof given === "string" ? given.split("/") : [];
  const bits = isIP(address) === 4 ? 32 : 128;
  const isLength = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits);
  if (isIP(address) !== 0 && isLength && rest.length === 0) return given as string;
  throw new TypeError(`${place} takes an IP address or a CIDR range, such as "203.0.113.0/24" or "2001:db8::/32".`);
}
