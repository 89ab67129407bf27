// Whether Node can send a header: it throws for one that it cannot.

import { validateHeaderName, validateHeaderValue } from "node:http";

export function isHeaderName(name: unknown): name is string {
  return typeof name === "string" && isAccepted(() => validateHeaderName(name));
}

export function isHeader(name: string, value: unknown): value is string {
  return isHeaderName(name) && typeof value === "string" && isAccepted(() => validateHeaderValue(name, value));
}

function isAccepted(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
