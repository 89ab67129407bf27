// The options of the simulator: their types, defaults and checks.

import { codedTypeError, invalidOption } from "../base/errors.js";
import { isHeader } from "../base/header.js";
import { isRecord } from "../base/record.js";

/** The options of `simulator`. */
export interface SimulatorOptions {
  /**
   * Where callbacks are sent: the path of the router on the same server, such as `"/sms"`, or an absolute URL. It may
   * have a query.
   */
  readonly target: string;
  /**
   * Headers to send with every callback, for authentication. The page shows their names only. One whose value is
   * `undefined`, such as an unset `process.env.CALLBACK_TOKEN`, is not sent. Default: none.
   */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * Further hosts by which the page may be opened, with or without a port, such as `"dev.example.test"`. Default: only
   * `localhost` and loopback addresses.
   */
  readonly hosts?: readonly string[] | undefined;
  /**
   * Whether other machines may open the page, for instance from outside a container. Default: `false`. `Host` and
   * `Origin` are checked all the same, and proxies are refused.
   */
  readonly allowRemote?: boolean | undefined;
  /** Whether the simulator may be made under `NODE_ENV=production`. Default: `false`. */
  readonly allowInProduction?: boolean | undefined;
}

export interface SimulatorSettings {
  readonly target: Target;
  readonly headers: Readonly<Record<string, string>>;
  readonly hosts: readonly string[];
  readonly allowRemote: boolean;
}

/** Where callbacks are sent. */
interface Target {
  /** `undefined`: the server that serves the page. */
  readonly server: URL | undefined;
  readonly path: string;
  /** Without the `?`. */
  readonly query: string;
}

type Name = keyof SimulatorOptions;

interface Option {
  /** Completes the sentence "name of simulator takes ...". */
  readonly takes: string;
  readonly accepts: (value: unknown) => boolean;
}

const bool: Option = { takes: "true or false", accepts: (value) => typeof value === "boolean" };

const OPTIONS: Readonly<Record<Name, Option>> = {
  target: {
    takes: 'a path of the same server such as "/sms", or an absolute http or https URL without credentials and "#"',
    accepts: (value) => typeof value === "string" && targetOf(value) !== undefined,
  },
  headers: {
    takes: "a record of strings, without headers that the request itself needs: Host, Content-Length and the like",
    accepts: (value) => isRecord(value) && Object.entries(value).every(([name, one]) => isAddable(name, one ?? "")),
  },
  hosts: {
    takes: 'an array of host names, with or without a port, such as "dev.example.test"',
    accepts: (value) => Array.isArray(value) && value.every((one) => typeof one === "string" && HOST.test(one)),
  },
  allowRemote: bool,
  allowInProduction: bool,
};

/** A host, with or without a port, as `Host` has it. */
export const HOST = /^(?<name>[^\s:/?#@[\]]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/**
 * @param hasRouter - whether the router is in this process
 * @throws TypeError if an option is unknown or has a wrong value, and under `NODE_ENV=production`
 */
export function readSimulatorOptions(options: SimulatorOptions, hasRouter: boolean): SimulatorSettings {
  const given: unknown = options;
  if (!isRecord(given))
    throw invalidOption('simulator takes a router and options: simulator(sms, { target: "/sms" }).');
  const names = Object.keys(OPTIONS);
  for (const name of Object.keys(given)) {
    if (!names.includes(name))
      throw invalidOption(`${name} is not an option of simulator. They are ${names.join(", ")}.`);
  }
  for (const [name, { takes, accepts }] of Object.entries(OPTIONS)) {
    const value = given[name];
    if ((value !== undefined || name === "target") && !accepts(value))
      throw invalidOption(`${name} of simulator takes ${takes}.`);
  }
  const { headers = {}, hosts = [], allowRemote = false, allowInProduction = false } = options;
  const target = targetOf(options.target);
  if (target === undefined || (!hasRouter && target.server === undefined))
    throw invalidOption("target of simulator takes an absolute URL if there is no router.");
  if (process.env.NODE_ENV === "production" && !allowInProduction)
    throw codedTypeError("KALEYRA_SMS_SIMULATOR_IN_PRODUCTION");
  return { target, headers: givenOf(headers), hosts: hosts.map((host) => host.toLowerCase()), allowRemote };
}

function givenOf(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const given = Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined);
  return Object.fromEntries(given);
}

function targetOf(given: string): Target | undefined {
  if (!/^[!-~]+$/.test(given) || given.includes("#")) return undefined;
  const isPath = given.startsWith("/") && !given.startsWith("//");
  if (!isPath && !/^https?:\/\//i.test(given)) return undefined;
  const [path, query] = splitAt(isPath ? given : given.replace(/^[^:]+:\/\/[^/?]*/, ""), "?");
  if (isPath) return { server: undefined, path, query };
  if (!URL.canParse(given)) return undefined;
  const server = new URL(given);
  if (server.username !== "" || server.password !== "") return undefined;
  return { server, path: path === "" ? "/" : path, query };
}

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** Headers of the request itself: another value would send another request than the one that is shown. */
const OF_THE_REQUEST = [
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "expect",
  "upgrade",
  "te",
  "trailer",
];

/** Whether it may be added to the request. */
export function isAddable(name: string, value: unknown): boolean {
  return isHeader(name, value) && !OF_THE_REQUEST.includes(name.toLowerCase());
}
