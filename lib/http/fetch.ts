// The function for what speaks the web's types: takes a `Request`, and gives the `Response`.

import { WebCaller } from "../access/web-caller.js";
import type { Answer } from "../answer/receipt.js";
import { invalidArgument } from "../base/errors.js";
import type { Log } from "../base/log.js";
import { nameOf } from "../base/thrown.js";
import type { Callback, UnreadCallback } from "../callback/read-callback.js";
import { collectChunks, CUT, TOO_LARGE, type BodyLimits, type Chunks } from "./chunks.js";
import { reportConsumed } from "./earlier-body.js";
import { encodingsOf } from "./inflate.js";
import type { WhenRead } from "./body.js";
import type { Exchange, Stages } from "./stages.js";

/** What a `Request` does not say. @inline */
export interface FetchOptions {
  /** The address of the caller, for `allow` and for the event `unauthorized`. */
  readonly ip?: string | undefined;
}

export type Fetch = (request: Request, options?: FetchOptions) => Promise<Response>;

interface Deps extends BodyLimits {
  /** Whether the router is closing: an answer then asks the server to close its connection. */
  readonly isClosing: () => boolean;
  readonly log: Log;
}

export function createFetch(stages: Stages, deps: Deps): Fetch {
  return async (request, { ip } = {}) => {
    if (!isRequest(request)) throw invalidArgument("sms.fetch takes a Request, and { ip } if the app knows it.");
    return new Promise<Response>((resolve) => stages(new WebExchange(request, ip, deps, resolve)));
  };
}

/** A `Request` of another implementation is one, too. */
function isRequest(given: unknown): given is Request {
  if (typeof given !== "object" || given === null) return false;
  const { url, method, headers } = given as { url?: unknown; method?: unknown; headers?: { get?: unknown } };
  return typeof url === "string" && typeof method === "string" && typeof headers?.get === "function";
}

class WebExchange implements Exchange {
  readonly method: string;
  readonly query: string;
  readonly caller: WebCaller;
  readonly #deps: Deps;
  readonly #resolve: (response: Response) => void;

  constructor(request: Request, ip: string | undefined, deps: Deps, resolve: (response: Response) => void) {
    this.method = request.method;
    this.query = queryOf(request.url);
    this.caller = new WebCaller(request, ip);
    this.#deps = deps;
    this.#resolve = resolve;
  }

  /** Nothing reads the body beside the router: a stream of the web has one reader. */
  keepBody(): void {
    return undefined;
  }

  readBody(whenRead: WhenRead): void {
    const { request } = this.caller;
    const consumed = (): void => {
      reportConsumed(this.#deps.log);
      whenRead("consumed");
    };
    if (request.bodyUsed) consumed();
    else if (isWholeCheaper(request, this.#deps)) readWhole(request, this.#deps, whenRead, consumed);
    else if (request.body?.locked === true) consumed();
    else readStream(request, request.body, this.#deps, whenRead);
  }

  answer(answer: Answer): void {
    try {
      this.#resolve(responseOf(answer, this.method, this.#deps.isClosing()));
    } catch (error) {
      this.#deps.log.error("answer-failed", `An answer could not be sent: ${nameOf(error)}.`);
      this.#resolve(new Response(null, { status: 500 }));
    }
  }
}

function queryOf(url: string): string {
  const [address = ""] = url.split("#", 1);
  const mark = address.indexOf("?");
  return mark === -1 ? "" : address.slice(mark + 1);
}

/**
 * Whether to ask for the whole body instead of its stream. The adapters of servers, such as Hono's for Node.js, have
 * requests of their own: to make a stream for one costs more than all the rest of a callback. The server holds the
 * sender to the declared length. What an app has made with `new Request` may be longer than it says.
 */
function isWholeCheaper(request: Request, { bodyLimit }: BodyLimits): boolean {
  const length = declaredLength(request);
  return length > 0 && length <= bodyLimit && !isOfPlatform(request);
}

/** Of each prototype that was met: whether its requests are the platform's own, also of a class that extends them. */
const ofPlatform = new WeakMap<object, boolean>();

function isOfPlatform(request: Request): boolean {
  const kind = Object.getPrototypeOf(request) as object;
  let known = ofPlatform.get(kind);
  if (known === undefined) {
    try {
      // Throws for any other object.
      Reflect.get(Request.prototype, "bodyUsed", request);
      known = true;
    } catch {
      known = false;
    }
    ofPlatform.set(kind, known);
  }
  return known;
}

/** In bytes; 0 if it is not declared. */
function declaredLength({ headers }: Request): number {
  return Number(headers.get("content-length") ?? 0);
}

type WhenCollected = (callback: Callback | UnreadCallback) => void;

function collect(
  { headers }: Request,
  limits: BodyLimits,
  whenRead: WhenCollected,
  giveUp: () => void = () => undefined,
): Chunks {
  const contentType = headers.get("content-type") ?? undefined;
  return collectChunks(encodingsOf(headers.get("content-encoding")), limits, (collected) => {
    if ("refusal" in collected) giveUp();
    whenRead(
      "bytes" in collected ? { method: "POST", body: collected.bytes, contentType } : { method: "POST", ...collected },
    );
  });
}

/** @param consumed - called if something else has begun to read the body */
function readWhole(request: Request, limits: BodyLimits, whenRead: WhenCollected, consumed: () => void): void {
  let isLocked = false;
  const chunks = collect(request, limits, (callback) => (isLocked ? consumed() : whenRead(callback)));
  request.arrayBuffer().then(
    (bytes) => {
      chunks.push(Buffer.from(bytes));
      if (bytes.byteLength < declaredLength(request)) chunks.refuse(CUT);
      else chunks.end();
    },
    () => {
      // A body that was asked for counts as used, unless a reader of something else has it.
      isLocked = !request.bodyUsed;
      chunks.refuse(CUT);
    },
  );
}

function readStream(request: Request, body: Request["body"], limits: BodyLimits, whenRead: WhenCollected): void {
  if (body === null) {
    whenRead({ method: "POST", body: "", contentType: request.headers.get("content-type") ?? undefined });
    return;
  }
  const reader = body.getReader();
  // The rest of a body that is rejected is not wanted.
  const chunks = collect(request, limits, whenRead, () => void reader.cancel().catch(() => undefined));
  const length = declaredLength(request);
  if (length > limits.bodyLimit) chunks.refuse(TOO_LARGE);
  else void pump(reader, length, chunks);
}

/** A reader of the bytes of a `Request`. */
interface ByteReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

/** @param length - bytes that must come, as far as it is known */
async function pump(reader: ByteReader, length: number, chunks: Chunks): Promise<void> {
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || value === undefined) break;
      size += value.length;
      chunks.push(Buffer.from(value.buffer, value.byteOffset, value.length));
    }
  } catch {
    // The sender went away, or the app ended the stream.
    chunks.refuse(CUT);
    return;
  }
  if (size < length) chunks.refuse(CUT);
  else chunks.end();
}

function responseOf({ status, headers: given, body }: Answer, method: string, isLast: boolean): Response {
  const headers = isLast ? { ...given, Connection: "close" } : given;
  // A status such as 204 allows not even an empty body.
  return new Response(method === "HEAD" || body === "" ? null : body, { status, headers });
}
