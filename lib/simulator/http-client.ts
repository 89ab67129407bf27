// Sends a request over HTTP, as it was shown, and resolves with the answer.

import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { TLSSocket } from "node:tls";

import { isRecord } from "../base/record.js";
import type { ComposedRequest } from "./compose.js";
import { stopwatch } from "./observe.js";
import type { WireRequest } from "./show.js";
import type { Answered } from "./wire.js";
import { hostOf } from "./visitor.js";

/** The server that is called. */
export interface Server {
  /** As the browser, or the user, named it: protocol, host and port. */
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  /** Whether its certificate is checked: that of this very server need not be. */
  readonly isOther: boolean;
}

/** The server that serves the page to this request. */
export function serverOf(req: IncomingMessage): Server {
  const { localAddress = "127.0.0.1", localPort = 80 } = req.socket;
  const protocol = req.socket instanceof TLSSocket ? "https" : "http";
  return {
    origin: `${protocol}://${hostOf(req)}`,
    host: localAddress.replace(/^::ffff:(?=\d+\.)/, ""),
    port: localPort,
    isOther: false,
  };
}

export function serverAt({ protocol, host, hostname, port }: URL): Server {
  return {
    origin: `${protocol}//${host}`,
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port === "" ? (protocol === "https:" ? 443 : 80) : port),
    isOther: true,
  };
}

/** Adds the headers that every request has. */
export function addressed(request: ComposedRequest, { origin }: Pick<Server, "origin">): WireRequest {
  const length =
    request.method === "POST" ? [["Content-Length", String(Buffer.byteLength(request.body))] as const] : [];
  return {
    ...request,
    origin,
    headers: [
      ["Host", origin.replace(/^https?:\/\//, "")],
      ["User-Agent", "express-kaleyra-sms simulator"],
      ...request.headers,
      ...length,
      ["Connection", "close"],
    ],
  };
}

const TIMEOUT_MS = 60_000;
/** Of the body of an answer. */
const MAX_LENGTH = 65_536;

/** Does not reject. */
export async function sendRequest(request: WireRequest, server: Server): Promise<Answered> {
  const durationMs = stopwatch();
  try {
    const response = await answerTo(request, server);
    const body = await textOf(response);
    const { statusCode: status = 0, statusMessage: reason = "" } = response;
    return { status, reason, body, durationMs: durationMs() };
  } catch (error) {
    const failed = request.cutAt === undefined ? reasonOf(error, server) : "No answer: the connection was cut.";
    return { failed, durationMs: durationMs() };
  }
}

/** As a sentence. If no address of a host answers, the error has a code only. */
function reasonOf(error: unknown, { origin }: Pick<Server, "origin">): string {
  const { message, code } = isRecord(error) ? error : {};
  const host = origin.replace(/^https?:\/\//, "");
  if (code === "ECONNREFUSED") return `Nothing listens at ${host}. Start your app.`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `${host} is not found: look at the target's name.`;
  if (code === "ECONNRESET") return `${host} ended the connection without an answer.`;
  if (code === "ABORT_ERR") return `${host} did not answer within ${TIMEOUT_MS / 1_000} seconds.`;
  const [reason = "the connection failed"] = [message, code].filter((one) => typeof one === "string" && one !== "");
  return `No answer from ${host}: ${String(reason)}.`;
}

function answerTo(request: WireRequest, { origin, host, port, isOther }: Server): Promise<IncomingMessage> {
  const { method, path, headers, body, cutAt } = request;
  const start = origin.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sending = start({
      host,
      port,
      method,
      path,
      // A list is sent as it is: nothing is added to what was shown.
      headers: headers.flat(),
      agent: false,
      rejectUnauthorized: isOther,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    sending.once("response", resolve).once("error", reject);
    if (cutAt === undefined) sending.end(body);
    else cut(sending, Buffer.from(body).subarray(0, cutAt));
  });
}

/** Ends the connection after a part of the body. */
function cut(sending: ClientRequest, part: Buffer): void {
  sending.write(part, () => sending.socket?.end());
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_LENGTH) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_LENGTH).toString("utf8");
}
