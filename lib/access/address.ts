// Where a caller calls from, and whether that is allowed.

import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv4 } from "node:net";

/** A request as Express leaves it. */
interface ExpressRequest extends IncomingMessage {
  readonly ip?: unknown;
  readonly app?: { get?(setting: string): unknown };
}

/** What Express says, which knows of proxies; otherwise the connection's. */
export function addressOf({ ip, socket }: ExpressRequest): string | undefined {
  return typeof ip === "string" ? ip : socket.remoteAddress;
}

/** Whether callers choose their address themselves: it is what they put into X-Forwarded-For. */
export function trustsEveryProxy({ app }: ExpressRequest): boolean {
  return app?.get?.("trust proxy") === true;
}

/** A provider calls from few addresses, and looking one up is slow. */
const MOST_KNOWN = 1_000;

/** @param ranges - single addresses and CIDR ranges; IPv4 addresses that are written as IPv6 are taken for what they are */
export function createIsAllowed(ranges: readonly string[]): (address: string) => boolean {
  const allowed = new BlockList();
  for (const range of ranges) {
    const [address = "", length] = range.split("/");
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    allowed.addSubnet(address, Number(length ?? (family === "ipv4" ? 32 : 128)), family);
  }
  const known = new Map<string, boolean>();
  return (address) => {
    if (isIP(address) === 0) return false;
    let isAllowed = known.get(address);
    if (isAllowed === undefined) {
      isAllowed = allowed.check(address, isIPv4(address) ? "ipv4" : "ipv6");
      if (known.size === MOST_KNOWN) known.clear();
      known.set(address, isAllowed);
    }
    return isAllowed;
  };
}
