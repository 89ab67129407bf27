// Passes a request on to the user's own endpoint, byte for byte, and gives its answer back.

import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";

import type { CapturedRequest, Reply } from "./listen.js";

/** The provider does not say how long it waits. In milliseconds. */
const TIMEOUT_MS = 30_000;

/** More than any answer to a callback has, in bytes. */
const MOST_ANSWER_BYTES = 1_048_576;

/** Headers that belong to a connection, and the address that the endpoint replaces. */
const OF_THE_CONNECTION = /^(?:host|connection|keep-alive|transfer-encoding|trailer|content-length|expect|upgrade)$/i;

/** The endpoint answered, but not so that it can be passed on. The message says what it did. */
export class UnusableAnswer extends Error {}

/**
 * Sends the request to the endpoint with its own query, headers and body. The path is that of the endpoint.
 *
 * @throws UnusableAnswer, or Node's error if there is no answer
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
      (answer) => void replyOf(answer).then(resolve, reject),
    );
    outgoing.on("error", reject);
    // Without this, Node.js drops the connection and says nothing.
    outgoing.on("upgrade", (_answer, socket) => {
      socket.destroy();
      reject(new UnusableAnswer("wants to switch to another protocol"));
    });
    outgoing.end(isBare ? undefined : body);
  });
}

/** @throws UnusableAnswer, or Node's error if the answer is cut off */
async function replyOf(answer: IncomingMessage): Promise<Reply> {
  const { statusCode = 0, rawHeaders } = answer;
  if (statusCode < 200) {
    answer.destroy();
    throw new UnusableAnswer("answers with a status that HTTP does not have");
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    // To leave the loop ends the connection.
    if (length > MOST_ANSWER_BYTES) throw new UnusableAnswer(`answers with more than ${MOST_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return { status: statusCode, rawHeaders: withoutConnection(rawHeaders), body: Buffer.concat(chunks) };
}

function withoutConnection(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => !OF_THE_CONNECTION.test(rawHeaders[index - (index % 2)] ?? ""));
}
