// Decides who may open the page: this machine's own browser, on a page of this server, and no proxy.
// A page on another site can make a browser call a loopback address (DNS rebinding), so that of the peer proves
// nothing.

import type { IncomingMessage } from "node:http";
import { isIPv4 } from "node:net";

import { createIsAllowed } from "../access/address.js";
import { HOST, type SimulatorSettings } from "./simulator-options.js";

const isLoopback = createIsAllowed(["127.0.0.0/8", "::1"]);

/** Headers that proxies add. */
const OF_PROXIES = /^(?:x-forwarded-.*|x-real-ip|forwarded|via)$/;

/**
 * @returns `undefined` if the visitor may see the page; otherwise why not, and what to do
 */
export type Refuse = (req: IncomingMessage) => string | undefined;

export function createRefuse({ hosts, allowRemote }: Pick<SimulatorSettings, "hosts" | "allowRemote">): Refuse {
  const isListed = (host: string, name: string): boolean => hosts.includes(host) || hosts.includes(name);

  const refuseAddress = ({ socket }: IncomingMessage): string | undefined => {
    const { remoteAddress = "unknown" } = socket;
    if (allowRemote || isLoopback(remoteAddress)) return undefined;
    return (
      `The page is for the machine it runs on, and the request comes from ${remoteAddress}.\n` +
      "If that is intended, for instance in a container: simulator(sms, { allowRemote: true, ... })."
    );
  };

  const refuseProxy = ({ headers }: IncomingMessage): string | undefined => {
    const header = Object.keys(headers).find((name) => OF_PROXIES.test(name));
    if (header === undefined) return undefined;
    return (
      `The request came through a proxy: it has the header ${header}. Behind a proxy, the page cannot see who asks.\n` +
      "Open the server's own address instead, for instance through an SSH tunnel."
    );
  };

  const refuseHost = (host: string): string | undefined => {
    const name = HOST.exec(host)?.groups?.name?.replace(/\.$/, "");
    if (name !== undefined && (isOwnName(name) || isListed(host, name))) return undefined;
    return (
      `The page is for localhost, and was opened as ${JSON.stringify(host)}.\n` +
      "If that is your own name for this machine, list it: simulator(sms, { hosts: [...], ... })."
    );
  };

  const refuseOrigin = (origin: string, host: string): string | undefined => {
    const own = /^https?:\/\/(?<own>[^/]+)$/.exec(origin)?.groups?.own ?? "";
    const name = HOST.exec(own)?.groups?.name ?? "";
    if (own !== "" && (own === host || isListed(own, name))) return undefined;
    return (
      `The request comes from a page of ${JSON.stringify(origin)}: only the simulator's own page may send.\n` +
      "If that is your own name for this server, list it: simulator(sms, { hosts: [...], ... })."
    );
  };

  return (req) => {
    const host = hostOf(req);
    const origin = req.headers.origin?.toLowerCase();
    return (
      refuseAddress(req) ??
      refuseProxy(req) ??
      refuseHost(host) ??
      (origin === undefined ? undefined : refuseOrigin(origin, host))
    );
  };
}

/** HTTP/2 has `:authority` in place of `Host`. */
export function hostOf({ headers }: IncomingMessage): string {
  const authority = headers[":authority"];
  return (headers.host ?? (typeof authority === "string" ? authority : "")).toLowerCase();
}

function isOwnName(name: string): boolean {
  return (
    name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || (isIPv4(name) && name.startsWith("127."))
  );
}
