// Where a caller calls from, and whether that is allowed.

import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv4 } from "node:net";

/** A request as Express leaves it. */
interface ExpressRequest extends IncomingMessage {
  readonly ip?: unknown;
  readonly app?: { get?(setting: string): unknown };
}

/** What Express says, which knows of proxies; otherwise the connection's. */
export function addressOf(req: ExpressRequest): string | undefined {
  try {
    const { ip } = req;
    return typeof ip === "string" ? ip : req.socket.remoteAddress;
  } catch {
    // The app's own "trust proxy" function failed, or the request is no stream.
    return undefined;
  }
}

/** Whether callers choose their address themselves: it is what they put into X-Forwarded-For. */
export function trustsEveryProxy({ app }: ExpressRequest): boolean {
  return app?.get?.("trust proxy") === true;
}

/** A provider calls from few addresses, and looking one up is slow. */
const MOST_KNOWN = 1_000;

/** All of IPv4, written as IPv6. */
const MAPPED = new BlockList();
MAPPED.addSubnet("::ffff:0:0", 96, "ipv6");

/** @param ranges - single addresses and CIDR ranges; an IPv4 address is one however it is written, and is in no range of IPv6 */
export function createIsAllowed(ranges: readonly string[]): (address: string) => boolean {
  const allowed = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges) {
    const [address = "", length] = range.split("/");
    const written = isIPv4(address) ? "ipv4" : "ipv6";
    const bits = Number(length ?? (written === "ipv4" ? 32 : 128));
    const isMapped = written === "ipv6" && bits >= 96 && MAPPED.check(address, "ipv6");
    allowed[isMapped ? "ipv4" : written].addSubnet(address, bits, written);
  }
  const look = (address: string): boolean => {
    const written = isIPv4(address) ? "ipv4" : "ipv6";
    return allowed[MAPPED.check(address, written) ? "ipv4" : "ipv6"].check(address, written);
  };

  const known = new Map<string, boolean>();
  return (address) => {
    if (isIP(address) === 0) return false;
    let isAllowed = known.get(address);
    if (isAllowed === undefined) {
      isAllowed = look(address);
      if (known.size === MOST_KNOWN) known.clear();
      // A copy: an address that was cut out of a header would keep all of it.
      known.set(Buffer.from(address).toString(), isAllowed);
    }
    return isAllowed;
  };
}
