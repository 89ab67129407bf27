// Passes a request on to the user's own endpoint, byte for byte, and gives its answer back.

import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

import type { CapturedRequest, Reply } from "./listen.js";

/** The provider does not say how long it waits. In milliseconds. */
const TIMEOUT_MS = 30_000;

/** Headers that belong to a connection, and the address that the endpoint replaces. */
const OF_THE_CONNECTION = /^(?:host|connection|keep-alive|transfer-encoding|content-length|expect|upgrade)$/i;

/**
 * Sends the request to the endpoint with its own query, headers and body. The path is that of the endpoint.
 *
 * @throws Node's error if there is no answer
 */
export async function passOn({ method, url, rawHeaders, body }: CapturedRequest, endpoint: string): Promise<Reply> {
  const { protocol, hostname, port, host, pathname, search } = new URL(endpoint);
  const at = url.indexOf("?");
  const query = at === -1 ? "" : url.slice(at + 1);
  const target = `${pathname}${search}${query === "" ? "" : `${search === "" ? "?" : "&"}${query}`}`;
  const isBare = body.length === 0 && (method === "GET" || method === "HEAD");
  const length = isBare ? [] : ["Content-Length", String(body.length)];
  const headers = ["Host", host, ...withoutConnection(rawHeaders), ...length];
  return new Promise((resolve, reject) => {
    const outgoing = (protocol === "https:" ? requestHttps : requestHttp)(
      {
        method,
        hostname: hostname.replace(/^\[|\]$/g, ""),
        port,
        path: target,
        headers,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () =>
          resolve({
            status: answer.statusCode ?? 502,
            rawHeaders: withoutConnection(answer.rawHeaders),
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(isBare ? undefined : body);
  });
}

function withoutConnection(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => !OF_THE_CONNECTION.test(rawHeaders[index - (index % 2)] ?? ""));
}
