// The digest that keys are made of, and by which secrets are compared.

import * as crypto from "node:crypto";

/** Node has the quicker one from 20.12 on. */
const { hash } = crypto as { hash?: typeof crypto.hash };

/** Of the text's UTF-8, as base64url. */
export const sha256 = (text: string): string =>
  hash === undefined ? crypto.createHash("sha256").update(text).digest("base64url") : hash("sha256", text, "base64url");
