// Compares what was sent with secrets.

import { timingSafeEqual } from "node:crypto";

import { sha256 } from "../base/sha256.js";

/** In a time that tells nothing of the secrets: neither how much of one is right, nor which of them, nor how long one is. */
export function createIsOneOf(secrets: readonly string[]): (sent: string) => boolean {
  const expected = secrets.map((secret) => Buffer.from(sha256(secret)));
  return (sent) => {
    const given = Buffer.from(sha256(sent));
    let isOne = false;
    for (const one of expected) if (timingSafeEqual(one, given)) isOne = true;
    return isOne;
  };
}
