// The SHA-256 digest, for message keys and for comparing secrets.

import * as crypto from "node:crypto";

/** Faster than `createHash`, but only in Node 20.12 and later. */
const { hash } = crypto as { hash?: typeof crypto.hash };

/** The digest of the text in UTF-8, as base64url. */
export const sha256 = (text: string): string =>
  hash === undefined ? crypto.createHash("sha256").update(text).digest("base64url") : hash("sha256", text, "base64url");
