// The values that labels of the metrics have, written by hand: not taken from the code that they check.

export const OUTCOMES = ["handled", "stored", "duplicate", "invalid", "failed", "busy"];
export const INVALID = [
  "malformed-body",
  "ambiguous-body",
  "body-incomplete",
  "body-too-large",
  "unsupported-media-type",
  "schema",
  "duplicate-field",
  "unknown-field",
  "undecryptable",
];
export const UNAUTHORIZED = ["missing", "wrong", "repeated", "address", "no-address", "refused", "threw", "timeout"];
export const EVENTS = ["message", "keyword", "unmatched", "invalid", "unauthorized", "duplicate", "busy", "error"];
