// One request of `check` and what becomes of it, on a connection of its own: silence is a finding, not an error.

import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { connect, isIP } from "node:net";
import { connect as connectTls } from "node:tls";

import { partsOfUrl, type ExactAnswer } from "../../provider/request.js";

export interface Question {
  readonly method: string;
  /** Absolute. Sent exactly as it is. */
  readonly url: string;
  /** A list sends the header once for each value. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array | undefined;
  /** How many bytes are declared. Default: as many as `body` has. If they are more, the request stays incomplete. */
  readonly declaredBytes?: number | undefined;
  /** Whether to drop the connection once `body` is sent. */
  readonly isCut?: boolean | undefined;
}

type Answer = Omit<ExactAnswer, "durationMs">;

/** `late`: no whole answer in time. `closed`: the connection ended without one. `refused`: nothing listens. */
type Silence = "late" | "closed" | "refused";

export type Outcome = Answer | Silence;

/** What is read of an answer. In bytes. */
const MOST_ANSWER_BYTES = 262_144;

/** Resolves with what came within the time limit. @throws what `signal` aborts with */
export async function exchange(question: Question, limitMs: number, signal: AbortSignal): Promise<Outcome> {
  signal.throwIfAborted();
  const { isTls, authority, hostname, port, target } = partsOfUrl(question.url);
  const { method, body } = question;
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const length = question.declaredBytes ?? bytes?.length;
  const headers = {
    Host: authority,
    ...Object.fromEntries(
      Object.entries(question.headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]),
    ),
    ...(length === undefined ? {} : { "Content-Length": String(length) }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = (isTls ? requestHttps : requestHttp)({
      method,
      hostname,
      port,
      path: target,
      headers,
      agent: false,
    });
    let answered: { readonly status: number; readonly headers: Record<string, string> } | undefined;
    const chunks: Buffer[] = [];
    const settle = (settled: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      settled();
      outgoing.destroy();
    };
    const end = (silence: Silence): void =>
      settle(() => resolve(answered === undefined ? silence : { ...answered, body: Buffer.concat(chunks).toString() }));
    const abort = (): void => settle(() => reject(signal.reason as Error));
    const timer = setTimeout(() => settle(() => resolve("late")), limitMs);
    signal.addEventListener("abort", abort);
    outgoing.on("response", (answer) => {
      answered = {
        status: answer.statusCode ?? 0,
        headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
      };
      let size = 0;
      answer.on("data", (chunk: Buffer) => {
        if (size < MOST_ANSWER_BYTES) chunks.push(chunk);
        size += chunk.length;
      });
      answer.on("end", () => end("closed"));
      answer.on("error", () => end("closed"));
    });
    // An endpoint may answer and close while the body is still being sent: the answer counts.
    outgoing.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (answered === undefined) end(code === "ECONNREFUSED" ? "refused" : "closed");
    });
    if (question.isCut === true) outgoing.write(bytes ?? "", () => end("closed"));
    else if (length === bytes?.length) outgoing.end(bytes);
    else outgoing.write(bytes ?? "");
  });
}

/**
 * Tries to connect to the server of a URL, and sends nothing.
 *
 * @returns why it cannot be reached, as a code of Node's; `undefined` if it can
 */
export async function whyUnreachable(url: string, limitMs: number): Promise<string | undefined> {
  const { isTls, hostname: host, port } = partsOfUrl(url);
  return new Promise((resolve) => {
    const to = { host, port: Number(port) };
    const socket = isTls ? connectTls({ ...to, ...(isIP(host) === 0 && { servername: host }) }) : connect(to);
    const end = (code: string | undefined): void => {
      socket.destroy();
      resolve(code);
    };
    socket.once(isTls ? "secureConnect" : "connect", () => end(undefined));
    socket.on("error", ({ code }: NodeJS.ErrnoException) => end(code ?? "no answer"));
    socket.setTimeout(limitMs, () => end("ETIMEDOUT"));
  });
}
