// A router that records its events, and helpers for servers and sockets.

import { createServer, Server, type RequestListener } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import type { Readable } from "node:stream";
import {
  incomingSms,
  type IncomingSms,
  type IncomingSmsOptions,
  type InvalidCallback,
  type BusyCallback,
  type KeywordMatch,
  type SmsError,
  type SmsMessage,
  type UnauthorizedCallback,
} from "express-kaleyra-sms";

/** Options to be completed by a spec: whether they exclude each other shows when a router is made. */
export type SomeOptions = { readonly [Name in keyof IncomingSmsOptions]?: IncomingSmsOptions[Name] };

export interface Recorder {
  readonly sms: IncomingSms;
  readonly messages: SmsMessage[];
  readonly keywords: KeywordMatch[];
  readonly unmatched: SmsMessage[];
  readonly invalid: InvalidCallback[];
  readonly unauthorized: UnauthorizedCallback[];
  readonly duplicates: SmsMessage[];
  readonly busy: BusyCallback[];
  readonly errors: SmsError[];
  /** The log lines. */
  readonly lines: string[];
}

/** Makes a router and records all its events. Anyone may call it, unless `options.authenticate` is set. */
export function recorder(options: SomeOptions = {}): Recorder {
  const lines: string[] = [];
  const logger = { warn: (line: string) => lines.push(line), error: (line: string) => lines.push(line) };
  const sms = incomingSms({ logger, authenticate: false, ...options } as IncomingSmsOptions);
  const recorded: Recorder = {
    sms,
    messages: [],
    keywords: [],
    unmatched: [],
    invalid: [],
    unauthorized: [],
    duplicates: [],
    busy: [],
    errors: [],
    lines,
  };
  sms
    .on("message", (message) => recorded.messages.push(message))
    .on("keyword", (match) => recorded.keywords.push(match))
    .on("unmatched", (message) => recorded.unmatched.push(message))
    .on("invalid", (problem) => recorded.invalid.push(problem))
    .on("unauthorized", (rejected) => recorded.unauthorized.push(rejected))
    .on("duplicate", (message) => recorded.duplicates.push(message))
    .on("busy", (busy) => recorded.busy.push(busy))
    .on("error", (error) => recorded.errors.push(error));
  return recorded;
}

const servers = new Set<Server>();

/** Starts a server on a free port. `closeServers` closes it. */
export async function listen(listener: RequestListener | Server): Promise<number> {
  const server = listener instanceof Server ? listener : createServer(listener);
  servers.add(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

export async function closeServers(): Promise<void> {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  servers.clear();
}

/** Opens a connection on which a spec writes a request itself. */
export async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  return socket;
}

/** Resolves with everything that the server sends until the connection closes. */
export function untilClosed(socket: Socket): Promise<string> {
  let received = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (received += chunk));
  return new Promise((resolve) => socket.once("close", () => resolve(received)));
}

/** Resolves with the received data as soon as it contains `text`. Rejects if the stream closes earlier. */
export function until(stream: Readable, text: string): Promise<string> {
  let received = "";
  return new Promise((resolve, reject) => {
    stream.on("close", () => reject(new Error(`closed after: ${received}`)));
    stream.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      if (received.includes(text)) resolve(received);
    });
  });
}

/** A promise with the functions that settle it. */
export function deferred<Value = void>(): {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (cause: unknown) => void;
} {
  let settle: { resolve: (value: Value) => void; reject: (cause: unknown) => void } | undefined;
  const promise = new Promise<Value>((resolve, reject) => (settle = { resolve, reject }));
  if (settle === undefined) throw new Error("unreachable: a promise's executor is synchronous");
  return { promise, ...settle };
}
