// How the simulator answers: the headers of everything, and bodies of text and JSON.

import type { ServerResponse } from "node:http";

/** Of everything the simulator answers. The page loads nothing from elsewhere, and no page may frame it. */
export const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  // A compressing middleware would hold events back.
  "Cache-Control": "no-store, no-transform",
};

export function sendText(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { ...HEADERS, "Content-Type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}

export function sendJson(res: ServerResponse, status: number, value: object): void {
  if (res.headersSent || res.destroyed) return;
  res.writeHead(status, { ...HEADERS, "Content-Type": "application/json" }).end(JSON.stringify(value));
}
