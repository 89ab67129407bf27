// Finds the address of a caller, and checks whether it is allowed.

import type { IncomingHttpHeaders } from "node:http";
import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";

/** A request with the properties that Express adds, or one that came without a connection. */
interface ExpressRequest {
  readonly headers: IncomingHttpHeaders;
  readonly socket?: { readonly remoteAddress?: string | undefined };
  readonly ip?: unknown;
  readonly app?: { get?(setting: string): unknown };
}

/** Express's `req.ip`, which takes proxies into account. Without Express, the address of the connection. */
export function addressOf(req: ExpressRequest): string | undefined {
  try {
    const { ip } = req;
    return typeof ip === "string" ? ip : req.socket?.remoteAddress;
  } catch {
    // The app's "trust proxy" function threw, or the request is not a stream and has no socket.
    return undefined;
  }
}

/** Whether callers can choose their address: Express then takes it from X-Forwarded-For, which they can set. */
export function trustsEveryProxy({ app }: ExpressRequest): boolean {
  return app?.get?.("trust proxy") === true;
}

/** Whether the address is a proxy's: without Express, nothing says which proxies to trust. */
export function isOfUnknownProxy({ ip, headers }: ExpressRequest): boolean {
  return ip === undefined && headers["x-forwarded-for"] !== undefined;
}

const MAX_PORT = 65_535;

/** Some proxies write the port behind the address. Anything else stays as it is. */
export function withoutPort(address: string): string {
  const { v4, v6, port = "0" } = /^(?:(?<v4>[\d.]+)|\[(?<v6>.+)\])(?::(?<port>\d{1,5}))?$/.exec(address)?.groups ?? {};
  if (Number(port) > MAX_PORT) return address;
  return v4 ?? (v6 !== undefined && isIPv6(v6) ? v6 : address);
}

/** How many results are cached. A provider calls from few addresses, and a lookup is slow. */
const MAX_CACHED = 1_000;

/** The IPv4-mapped addresses of IPv6. */
const MAPPED = new BlockList();
MAPPED.addSubnet("::ffff:0:0", 96, "ipv6");

/**
 * An IPv4-mapped IPv6 address counts as IPv4, and is in no range of IPv6.
 *
 * @param ranges - single addresses and CIDR ranges
 */
export function createIsAllowed(ranges: readonly string[]): (address: string) => boolean {
  const allowed = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges) {
    const [address = "", length] = range.split("/");
    const written = isIPv4(address) ? "ipv4" : "ipv6";
    const bits = Number(length ?? (written === "ipv4" ? 32 : 128));
    const isMapped = written === "ipv6" && bits >= 96 && MAPPED.check(address, "ipv6");
    allowed[isMapped ? "ipv4" : written].addSubnet(address, bits, written);
  }
  const lookUp = (address: string): boolean => {
    const written = isIPv4(address) ? "ipv4" : "ipv6";
    return allowed[MAPPED.check(address, written) ? "ipv4" : "ipv6"].check(address, written);
  };

  const cache = new Map<string, boolean>();
  return (address) => {
    if (isIP(address) === 0) return false;
    let isAllowed = cache.get(address);
    if (isAllowed === undefined) {
      isAllowed = lookUp(address);
      if (cache.size === MAX_CACHED) cache.clear();
      // A copy: a substring of a header would keep the whole header in memory.
      cache.set(Buffer.from(address).toString(), isAllowed);
    }
    return isAllowed;
  };
}
