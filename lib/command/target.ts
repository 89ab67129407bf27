// Which endpoint a verb may call: this machine's, unless the user says yes to another.

import { isIP } from "node:net";

import { sendExactly, type ExactAnswer, type ExactRequest } from "../provider/request.js";
import { unreachable, wrongUse } from "./failure.js";

export const DEFAULT_TARGET = "http://localhost:3000/sms";

export const YES = { help: "Calls the endpoint though it is not on this machine." } as const;

/** @throws Failure if the URL is not one, or is not on this machine and `isAllowed` is false */
export function assertTarget(url: string, option: string, isAllowed: boolean): string {
  if (!/^https?:\/\/[^/?#]/i.test(url) || /[#\s\\]|^[^:]+:\/\/[^/?]*@/.test(url) || !URL.canParse(url))
    throw wrongUse(
      `${option} takes an absolute http or https URL, without # and without a user.`,
      `For instance ${DEFAULT_TARGET}. A user and a password go into --basic.`,
    );
  if (!isAllowed && !isLoopback(new URL(url).hostname))
    throw wrongUse(
      "The endpoint is not on this machine.",
      "Add --yes if it is yours, and may get what is sent.",
      "not-loopback",
    );
  return url;
}

export function isLoopback(hostname: string): boolean {
  if (hostname === "localhost" || hostname === "[::1]") return true;
  return isIP(hostname) === 4 && hostname.startsWith("127.");
}

/** Sends a request, and says what to do if there is no answer. @throws Failure */
export async function call(request: ExactRequest, signal: AbortSignal): Promise<ExactAnswer> {
  try {
    return await sendExactly(request, signal);
  } catch (cause) {
    signal.throwIfAborted();
    const { code = "no answer" } = cause as NodeJS.ErrnoException;
    const { host } = new URL(request.url);
    throw unreachable(
      `${host} cannot be reached (${code}).`,
      code === "ECONNREFUSED"
        ? "Start the app that listens there, or name another endpoint."
        : "Look at the endpoint's address, and at what is in front of it.",
    );
  }
}
