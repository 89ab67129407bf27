// Compares received values with secrets.

import { timingSafeEqual } from "node:crypto";

import { sha256 } from "../base/sha256.js";

/**
 * Compares in constant time. The time reveals neither how much of a secret matches, nor which secret does, nor its
 * length.
 */
export function createIsOneOf(secrets: readonly string[]): (sent: string) => boolean {
  const expected = secrets.map((secret) => Buffer.from(sha256(secret)));
  return (sent) => {
    const given = Buffer.from(sha256(sent));
    let isMatch = false;
    for (const secret of expected) if (timingSafeEqual(secret, given)) isMatch = true;
    return isMatch;
  };
}
