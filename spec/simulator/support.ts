// An app with a router and its simulator, and a client that sends what a browser would send.

import { request, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { IncomingSms } from "express-kaleyra-sms";
import { simulator, type SimulatorOptions } from "express-kaleyra-sms/simulator";
import express from "express";

import { listen, recorder, type Recorder, type SomeOptions } from "../support/recorder";

/** What the page sends to `preview` and `send`. */
export const DRAFT = {
  id: "90e74b4c-8865-4a96-85b6-4406e4000048",
  text: "Hello",
  source: "919876543210",
  recipient: "919812345678",
  keyword: "",
  method: "POST",
  escaped: true,
  misbehaviour: "none",
  header: { name: "", value: "" },
};

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Requests a resource, with any header: `fetch` sets `Host` and `Origin` itself. */
export async function get(
  port: number,
  path: string,
  { method = "GET", headers, body }: Request = {},
): Promise<Answer> {
  const response = await respond(port, path, {
    method,
    ...(headers && { headers }),
    ...(body === undefined ? {} : { body }),
  });
  response.setEncoding("utf8");
  let received = "";
  for await (const chunk of response as AsyncIterable<string>) received += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, body: received };
}

/** Resolves with the response as soon as its head is there. */
function respond(
  port: number,
  path: string,
  { method = "GET", headers = {}, body }: Request,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sending = request({
      host: "127.0.0.1",
      port,
      path,
      method,
      agent: false,
      headers: { host: `localhost:${port}`, ...headers },
    });
    sending.once("response", resolve).once("error", reject).end(body);
  });
}

/** Sends what the page sends, and returns the parsed answer. */
export async function post(
  port: number,
  path: string,
  draft: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Posted }> {
  const { status, body } = await get(port, path, {
    method: "POST",
    headers: { "content-type": "application/json", origin: `http://localhost:${port}`, ...headers },
    body: JSON.stringify({ ...DRAFT, ...draft }),
  });
  return { status, body: JSON.parse(body) as Posted };
}

interface Posted {
  readonly requests: ReadonlyArray<{ readonly raw: string; readonly curl: string }>;
  readonly notes: readonly string[];
  readonly ineffective?: string;
  readonly answers: ReadonlyArray<{ readonly status?: number; readonly body?: string; readonly failed?: string }>;
  readonly detail?: string;
}

/** An event of the stream. */
export interface StreamedEvent {
  readonly id: string | undefined;
  readonly name: string;
  readonly data: Record<string, unknown>;
}

export interface OpenStream {
  /** Resolves with all events so far, as soon as one of them fits. */
  until(fits: (event: StreamedEvent) => boolean): Promise<StreamedEvent[]>;
  readonly headers: IncomingHttpHeaders;
  /** Everything that came, as text. */
  text(): string;
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<unknown>;
  close(): void;
}

const open = new Set<OpenStream>();

export async function openStream(port: number, path = "/simulator/events", lastEventId?: string): Promise<OpenStream> {
  const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const response = await respond(port, path, { headers });
  response.setEncoding("utf8");
  let received = "";
  let wake = (): void => undefined;
  response.on("data", (chunk: string) => {
    received += chunk;
    wake();
  });
  const ended = new Promise((resolve) => response.once("close", resolve));
  const stream: OpenStream = {
    headers: response.headers,
    text: () => received,
    ended,
    until: async (fits) => {
      for (;;) {
        const events = parse(received);
        if (events.some(fits)) return events;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    close: () => {
      open.delete(stream);
      response.destroy();
    },
  };
  open.add(stream);
  return stream;
}

export function closeStreams(): void {
  for (const stream of open) stream.close();
}

/** The complete events. Comments are left out. */
function parse(text: string): StreamedEvent[] {
  const blocks = text.split("\n\n").slice(0, -1);
  return blocks
    .map((block) => Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s, 2) as [string, string])))
    .filter((lines) => lines.data !== undefined)
    .map(({ id, event = "message", data = "" }) => ({
      id,
      name: event,
      data: JSON.parse(data) as Record<string, unknown>,
    }));
}

export interface App extends Recorder {
  readonly port: number;
}

/** An Express app: the router at /sms, the simulator at /simulator. */
export async function app(
  options: SomeOptions = {},
  own: Partial<SimulatorOptions> = {},
  middleware: readonly express.RequestHandler[] = [],
): Promise<App> {
  const recorded = recorder(options);
  const port = await listen(appOf(recorded.sms, own, middleware));
  return { ...recorded, port };
}

export function appOf(
  sms: IncomingSms,
  own: Partial<SimulatorOptions> = {},
  middleware: readonly express.RequestHandler[] = [],
): express.Express {
  const made = express();
  for (const one of middleware) made.use(one);
  made.use("/sms", sms);
  made.use("/simulator", simulator(sms, { target: "/sms", ...own }));
  return made;
}
