// A request as the provider sends it, byte by byte: sent to an endpoint, or written as a curl command.

import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

import { invalidArgument } from "../base/errors.js";

/** A request whose URL and body are sent exactly as they are. */
export interface ExactRequest {
  readonly method: string;
  /** Absolute, http or https. Its path and query are not normalized. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Text is sent as UTF-8. */
  readonly body?: string | Uint8Array | undefined;
}

export interface ExactAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** At most `MOST_ANSWER_BYTES`. */
  readonly body: string;
  /** From the first byte of the request to the last of the answer, in milliseconds. */
  readonly durationMs: number;
}

/** How long a whole answer may take, in milliseconds. */
const LIMIT_MS = 30_000;
/** What is read of an answer: those of a router are far shorter. In bytes. */
const MOST_ANSWER_BYTES = 65_536;

/**
 * Sends a request and waits for the whole answer. Redirects are not followed: the provider may not follow them either.
 *
 * @throws Node's error if the endpoint cannot be reached, one with the code `ETIMEDOUT` if the whole answer takes
 * longer than 30 s, and an `AbortError` when `signal` aborts
 */
export async function sendExactly(request: ExactRequest, signal?: AbortSignal): Promise<ExactAnswer> {
  const { isTls, authority, hostname, port, target } = partsOfUrl(request.url);
  const body = bytesOf(request.body);
  const headers = { Host: authority, ...request.headers, ...(body && { "Content-Length": String(body.length) }) };
  const started = performance.now();
  const limit = AbortSignal.timeout(LIMIT_MS);
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => reject(limit.aborted ? Object.assign(cause, { code: "ETIMEDOUT" }) : cause);
    const stop = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    const options = { method: request.method, hostname, port, path: target, headers, signal: stop };
    const outgoing = (isTls ? requestHttps : requestHttp)(options, (answer) => {
      const chunks: Buffer[] = [];
      let length = 0;
      answer.on("data", (chunk: Buffer) => {
        if (length < MOST_ANSWER_BYTES) chunks.push(chunk.subarray(0, MOST_ANSWER_BYTES - length));
        length += chunk.length;
      });
      answer.on("error", fail);
      answer.on("end", () => {
        resolve({
          status: answer.statusCode ?? 0,
          headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
          body: Buffer.concat(chunks).toString(),
          durationMs: performance.now() - started,
        });
      });
    });
    // An endpoint that changes the protocol gives no answer to the callback.
    outgoing.on("upgrade", ({ statusCode: status = 0 }, socket) => {
      socket.destroy();
      resolve({ status, headers: {}, body: "", durationMs: performance.now() - started });
    });
    outgoing.on("error", fail);
    outgoing.end(body);
  });
}

/** Writes the head of a request as it goes over the wire, with `\n` for its line ends, and the body unchanged. */
export function writtenOut({ method, url, headers, body }: ExactRequest): string {
  const { authority, target } = partsOfUrl(url);
  const bytes = bytesOf(body);
  const lines = Object.entries({ Host: authority, ...headers, ...(bytes && { "Content-Length": bytes.length }) });
  const head = [`${method} ${target} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)].join("\n");
  return bytes === undefined ? `${head}\n` : `${head}\n\n${bytes.toString()}`;
}

interface Expanded {
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: ReadonlyArray<readonly [name: string, value: string]>;
}

/**
 * Writes the request as a command for a POSIX shell. `-g` keeps curl from reading `[1]` as a range.
 *
 * @param expanded - values that the shell expands, such as `"$CALLBACK_TOKEN"`: of headers, and of variables that are
 * added to the query
 */
export function curlOf(
  { method, url, headers, body }: ExactRequest,
  { headers: expanded = {}, query = [] }: Expanded = {},
): string {
  const bytes = bytesOf(body);
  const command = ["curl -g -i"];
  if (method !== (bytes === undefined ? "GET" : "POST")) command.push(`-X ${quoted(method)}`);
  const variables = query.map(
    ([name, text], index) =>
      `${quoted(`${index > 0 || url.includes("?") ? "&" : "?"}${encodeURIComponent(name)}=`)}${text}`,
  );
  command.push(`${quoted(url)}${variables.join("")}`);
  for (const [name, value] of Object.entries(headers)) {
    const text = Object.hasOwn(expanded, name) ? expanded[name] : undefined;
    command.push(text === undefined ? `-H ${quoted(`${name}: ${value}`)}` : `-H ${quoted(`${name}: `)}${text}`);
  }
  if (bytes === undefined) return command.join(" ");
  const text = bytes.toString();
  // A shell knows no byte that is not text.
  if (UNPASTABLE.test(text) || !Buffer.from(text).equals(bytes))
    return `echo ${bytes.toString("base64")} | base64 -d | ${command.join(" ")} --data-binary @-`;
  return `${command.join(" ")} --data-raw ${quoted(text)}`;
}

/**
 * Control characters, which an argument cannot hold, or which a terminal may obey when they are pasted; and marks that
 * change the order in which a line is shown.
 */
const UNPASTABLE = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Quotes a text for a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function bytesOf(body: ExactRequest["body"]): Buffer | undefined {
  if (body === undefined || typeof body === "string") return body === undefined ? undefined : Buffer.from(body);
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

/** Splits a URL by hand: `URL` would escape characters that the provider does not. */
export function partsOfUrl(
  url: string,
): Record<"authority" | "hostname" | "port" | "target", string> & { isTls: boolean } {
  const [, scheme, authority = "", rest = ""] = /^(https?):\/\/([^/?#]+)([^#]*)/i.exec(url) ?? [];
  if (scheme === undefined || !URL.canParse(url)) throw invalidArgument("A URL must be absolute, http or https.");
  const { hostname, port } = new URL(url);
  const isTls = scheme.toLowerCase() === "https";
  const host = authority.replace(/^.*@/, "");
  const target = rest.startsWith("/") ? rest : `/${rest}`;
  // Without the brackets of an IPv6 address.
  return {
    isTls,
    authority: host,
    hostname: hostname.replace(/^\[|\]$/g, ""),
    port: port || (isTls ? "443" : "80"),
    target,
  };
}
