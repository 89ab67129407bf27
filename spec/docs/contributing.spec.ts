// The drawing in CONTRIBUTING.md: it has every exit of a callback and no other.

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { callbackProfile } from "express-kaleyra-sms";
import { memoryInbox } from "express-kaleyra-sms/testing";
import request from "supertest";

import { callback, post } from "../support/callbacks";
import { closeServers, deferred, listen, open, recorder, untilClosed, type SomeOptions } from "../support/recorder";

const ROOT = join(__dirname, "..", "..");
const [, DRAWING = ""] = /```mermaid\n([^]*?)```/.exec(readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8")) ?? [];

/** The status, and the code of the problem if the answer has a body. */
async function answer(
  options: SomeOptions,
  send: (agent: ReturnType<typeof request>) => request.Test,
): Promise<string> {
  const response = await send(request(createServer(recorder(options).sms)));
  return `${response.status} ${codeIn(response.body) ?? "empty"}`;
}

/** The status, and the code of a problem or the outcome. */
async function receipt(options: SomeOptions, body: string, prepare?: Prepare): Promise<string> {
  const { sms } = recorder(options);
  await prepare?.(sms, body);
  const { status, outcome, body: answered } = await sms.receive({ method: "POST", body, contentType: "text/plain" });
  await sms.close();
  return `${status} ${answered === "" ? outcome : String(codeIn(JSON.parse(answered)))}`;
}

type Prepare = (sms: ReturnType<typeof recorder>["sms"], body: string) => unknown;

function codeIn(problem: unknown): string | undefined {
  return typeof problem === "object" && problem !== null && "code" in problem ? String(problem.code) : undefined;
}

/** The answer to a body that does not come to its end. */
async function unfinished(options: SomeOptions): Promise<string> {
  const socket = await open(await listen(recorder(options).sms));
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{");
  const text = await untilClosed(socket);
  const [, status = ""] = text.split(" ");
  return `${status} ${/"code":"([^"]+)"/.exec(text)?.[1] ?? ""}`;
}

/** A sender that goes away gets no answer: the event has the status. */
async function cut(): Promise<string> {
  const { sms } = recorder();
  const emitted = deferred<string>();
  sms.on("invalid", ({ status, code }) => emitted.resolve(`${status} ${code}`));
  const server = createServer((req, res) => {
    sms(req, res);
    socket.destroy();
  });
  const socket = await open(await listen(server));
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{");
  return emitted.promise;
}

const PARTS = callbackProfile({
  method: "POST",
  url: "https://your.domain/sms",
  fields: ["id", "source", "recipient", "message"],
  parts: 1,
});
const AMBIGUOUS = `{"id":"1","source":"2","recipient":"3","message":"a","parts[1]":"b","parts[1]":"c"}`;
const { body: VALID } = post();
const fail: Prepare = (sms) => sms.on("message", () => Promise.reject(new Error("down")));
const hang: Prepare = (sms) => sms.on("message", () => new Promise(() => undefined));
const repeat: Prepare = (sms, body) => sms.receive({ method: "POST", body, contentType: "text/plain" });
const inbox = (): SomeOptions => ({ inbox: memoryInbox() });
const brokenInbox = {
  store: () => Promise.reject(new Error("down")),
  start: () => undefined,
  close: () => Promise.resolve(),
};
const BASIC = { basic: { username: "a", password: "b" } };

/** Every way to an exit. */
const EXITS: ReadonlyArray<() => Promise<string>> = [
  () => answer({}, (agent) => agent.get("/elsewhere")),
  () => answer({}, (agent) => agent.head("/")),
  () => answer({}, (agent) => agent.options("/")),
  () => answer({}, (agent) => agent.put("/")),
  () => answer({ authenticate: BASIC }, (agent) => agent.post("/").send(callback())),
  () => answer({ authenticate: { query: "t", value: "x" } }, (agent) => agent.post("/").send(callback())),
  () => unfinished({ bodyTimeoutMs: 1 }),
  () => unfinished({ bodyLimit: 1 }),
  cut,
  async () => {
    const { sms } = recorder();
    const server = createServer((req, res) => void req.resume().on("end", () => sms(req, res)));
    const response = await request(server).post("/").send(callback());
    return `${response.status} ${String(codeIn(response.body))}`;
  },
  () => answer({}, (agent) => agent.post("/").type("application/xml").send("<a/>")),
  () => receipt({}, "{"),
  () => receipt({}, "{}"),
  () => receipt({ profile: PARTS, escaping: "none" }, AMBIGUOUS),
  () => receipt({ escaping: "json" }, '{"id":"1","id":"2"}'),
  () => receipt({ profile: PARTS, escaping: "json" }, VALID),
  () =>
    receipt(
      {
        decrypt: () => {
          throw new Error("no key");
        },
      },
      VALID,
    ),
  () => receipt({}, VALID),
  () => receipt({}, VALID, repeat),
  () => receipt({}, VALID, fail),
  () => receipt({ acknowledgeFailures: true }, VALID, fail),
  () => receipt({ handlerTimeoutMs: 1 }, VALID, hang),
  () => receipt({}, VALID, (sms) => sms.close()),
  () => receipt(inbox(), VALID),
  () => receipt(inbox(), VALID, repeat),
  () => receipt({ inbox: brokenInbox }, VALID),
];

describe("the drawing in CONTRIBUTING.md", () => {
  afterEach(async () => {
    jest.restoreAllMocks();
    await closeServers();
  });

  it("has the status and the code of each exit, and no other", async () => {
    jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const drawn = Array.from(DRAWING.matchAll(/\b[2-5]\d\d [a-z-]+/g), ([exit]) => exit);
    const seen = await Promise.all(EXITS.map((way) => way()));
    expect([...new Set(drawn)].sort()).toEqual([...new Set(seen)].sort());
  });

  it("names files of lib/", () => {
    const named = DRAWING.match(/[a-z-]+\/[a-z-]+\.ts/g) ?? [];
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((file) => !existsSync(join(ROOT, "lib", file)))).toEqual([]);
  });
});
