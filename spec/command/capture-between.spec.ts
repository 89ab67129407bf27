// `capture` between a provider and an app: tunnels, what it passes on, and what it keeps.

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { incomingSms } from "express-kaleyra-sms";
import { fixture } from "express-kaleyra-sms/testing";

import { ended, temporaryFolder } from "../inbox/temporary";
import { conclusionsOf, eventsOf, routerOf, saysOf, startCapture } from "../support/capturing";
import { command, startCommand } from "../support/command";
import { escaped, percent, PRINTED, rendered, sendTo, type Sent } from "../support/stand-in-provider";

interface Whole {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

async function wholeOf(request: IncomingMessage): Promise<Whole> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = "", url = "", rawHeaders } = request;
  return { method, url, rawHeaders, body: Buffer.concat(chunks) };
}

async function serve(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  ended.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A relay on the way to `capture`, which changes what it passes on. */
async function relay(change: (request: Whole) => Partial<Pick<Sent, "path" | "headers" | "body">>): Promise<{
  readonly port: number;
  readonly leadTo: (port: number) => void;
}> {
  let target = 0;
  const port = await serve(
    createServer((request, response) => {
      void wholeOf(request).then(async (whole) => {
        const type = request.headers["content-type"];
        const test = request.headers["x-capture-test"];
        const headers = {
          ...(type !== undefined && { "Content-Type": type }),
          ...(typeof test === "string" && { "X-Capture-Test": test }),
        };
        const method = whole.method === "GET" ? "GET" : "POST";
        const sent = { method, path: whole.url, headers, body: whole.body, values: {}, ...change(whole) } as const;
        const [status, body] = await sendTo(target, sent);
        response.writeHead(status).end(body);
      });
    }),
  );
  return { port, leadTo: (to) => void (target = to) };
}

const asJson = (body: Buffer): Buffer => {
  try {
    return Buffer.from(JSON.stringify(JSON.parse(body.toString())));
  } catch {
    return body;
  }
};
const withoutBackslashes = (body: Buffer): Buffer => Buffer.from(body.toString().replaceAll("\\", ""));

describe("capture behind a tunnel", () => {
  it("says that a tunnel is proven that passes every byte", async () => {
    const tunnel = await relay(() => ({}));
    const running = startCapture(["--once", "--tunnel", `http://127.0.0.1:${tunnel.port}/some/path?x=1`]);
    const { port, awkward } = await running.listening;
    tunnel.leadTo(port);
    await running.printed(/"type":"tunnel","passes":true/);
    await sendTo(tunnel.port, rendered(awkward, { method: "POST", template: PRINTED }));
    const ran = await running.ended;
    const [conclusion] = conclusionsOf(ran);
    expect(conclusion && saysOf(conclusion, "in between")).toEqual(["proven: The tunnel passes every byte."]);
    expect(ran.code).toBe(0);
    // Its own requests are no callbacks.
    expect(eventsOf(ran).filter(({ type }) => type === "callback")).toHaveLength(1);
  });

  it.each<[how: string, change: Parameters<typeof relay>[0], says: RegExp]>([
    [
      "writes JSON anew",
      ({ body }) => ({ body: asJson(body) }),
      /JSON is changed: \d+ bytes were sent, and \d+ others/,
    ],
    [
      "drops backslashes",
      ({ body }) => ({ body: withoutBackslashes(body) }),
      /JSON is changed: backslashes are dropped; a body that is no JSON is changed/,
    ],
    [
      "writes queries anew",
      ({ url }) => ({ path: new URL(url, "http://a").href.slice(8).replaceAll("+", "%20") }),
      /the query is written anew/,
    ],
    ["loses queries", ({ url }) => ({ path: url.replace(/\?.*/, "") }), /the query is lost/],
    ["loses headers", () => ({ headers: { "Content-Type": "application/json" } }), /headers are lost/],
    [
      "writes forms anew",
      ({ body, rawHeaders }) => ({
        body: rawHeaders.some((one) => one.includes("urlencoded"))
          ? Buffer.from(new URLSearchParams(body.toString()).toString())
          : body,
      }),
      /a form is changed/,
    ],
    ["loses bodies", () => ({ body: Buffer.alloc(0) }), /JSON is changed: it is empty/],
  ])("exits with 1 before anything else if the tunnel %s", async (_how, change, says) => {
    const tunnel = await relay(change);
    const running = startCapture(["--tunnel", `http://127.0.0.1:${tunnel.port}/`]);
    tunnel.leadTo((await running.listening).port);
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({
      ok: false,
      error: { code: "tunnel-rewrites", message: expect.stringMatching(says) },
    });
  });

  it("exits with 1 if the tunnel delivers requests twice", async () => {
    let target = 0;
    const port = await serve(
      createServer((request, response) => {
        void wholeOf(request).then(async ({ method, url, body, rawHeaders }) => {
          const headers = { "X-Capture-Test": rawHeaders[rawHeaders.indexOf("X-Capture-Test") + 1] ?? "" };
          const sent = { method: method === "GET" ? "GET" : "POST", path: url, headers, body, values: {} } as const;
          await sendTo(target, sent);
          await sendTo(target, sent);
          response.end();
        });
      }),
    );
    const running = startCapture(["--tunnel", `http://127.0.0.1:${port}/`]);
    target = (await running.listening).port;
    const { code, stdout } = await running.ended;
    expect([code, stdout]).toEqual([1, expect.stringContaining("it delivers requests twice")]);
  });

  it("does not say that a tunnel is proven for what came before its test", async () => {
    const folder = temporaryFolder();
    const first = startCapture(["--save", folder]);
    const { port, awkward } = await first.listening;
    await sendTo(port, rendered(awkward, { method: "POST", template: PRINTED }));
    await first.printed(/"type":"conclusion"/);
    await first.interrupt();
    const tunnel = await relay(() => ({}));
    const second = startCapture(["--save", folder, "--tunnel", `http://127.0.0.1:${tunnel.port}/`]);
    tunnel.leadTo((await second.listening).port);
    await second.printed(/"type":"conclusion"/);
    const [conclusion] = conclusionsOf(await second.interrupt());
    expect(conclusion && saysOf(conclusion, "in between")).toEqual([
      expect.stringMatching(/^not proven: .*1 of the texts came before its test/),
    ]);
  });

  it("exits with 3 if the tunnel cannot be reached", async () => {
    const closed = createServer();
    const port = await serve(closed);
    await new Promise((resolve) => closed.close(resolve));
    const { code, stdout } = await startCapture(["--tunnel", `http://127.0.0.1:${port}/`]).ended;
    expect([code, stdout]).toEqual([3, expect.stringContaining('"code":"unreachable"')]);
  });

  it.each<[how: string, args: (port: number) => readonly string[]]>([
    ["the test of a tunnel", (port) => ["--tunnel", `http://127.0.0.1:${port}/`]],
    ["an app that does not answer", (port) => ["--forward", `http://127.0.0.1:${port}/`]],
  ])("ends with 130 when it is interrupted in %s", async (_how, args) => {
    let arrived: () => void = () => undefined;
    const whenArrived = new Promise<void>((resolve) => (arrived = resolve));
    const silent = await serve(createServer(() => arrived()));
    const running = startCapture(args(silent));
    const { port, awkward } = await running.listening;
    const answer = sendTo(port, rendered(awkward, { method: "POST", template: PRINTED })).catch(() => "none");
    await whenArrived;
    expect((await running.interrupt()).code).toBe(130);
    await answer;
  });

  it("notices a relay that it was not told of: a body written anew, and backslashes that are missing", async () => {
    for (const [change, insert, about, says] of [
      [asJson, escaped, "in between", /^not proven: .*a relay may have rewritten it/],
      [withoutBackslashes, escaped, "escaping", /^not proven: The text came without its backslash/],
    ] as const) {
      const tunnel = await relay(({ body }) => ({ body: change(body) }));
      const running = startCapture(["--once"]);
      const { port, awkward } = await running.listening;
      tunnel.leadTo(port);
      await sendTo(tunnel.port, rendered(awkward, { method: "POST", template: PRINTED, insert }));
      const [conclusion] = conclusionsOf(await running.ended);
      expect(conclusion && saysOf(conclusion, about)).toEqual([expect.stringMatching(says)]);
    }
  });
});

describe("capture --forward", () => {
  it("passes a callback on byte for byte, and gives back the app's answer", async () => {
    const received: Whole[] = [];
    const app = await serve(
      createServer((request, response) => {
        void wholeOf(request).then((whole) => {
          received.push(whole);
          response.writeHead(202, ["X-App", "a", "X-App", "b"]).end("from the app");
        });
      }),
    );
    const running = startCapture(["--forward", `http://127.0.0.1:${app}/own/sms?mount=1`]);
    const { port } = await running.listening;
    const body = Buffer.from([0x7b, 0x22, 0xff, 0xed, 0xa0, 0xbd, 0x5c, 0x0d, 0x0a, 0x00]);
    const headers = { "Content-Type": "x/y; Charset=Z", "X-Callback-Token": "t", "X-MiXed": "\u00e9" };
    const sent = { method: "POST", path: "/elsewhere?a=%e9+%22&&b", headers, body, values: {} } as const;
    expect(await sendTo(port, sent)).toEqual([202, "from the app"]);
    expect(received[0]).toMatchObject({ method: "POST", url: "/own/sms?mount=1&a=%e9+%22&&b" });
    expect(received[0]?.body.equals(body)).toBe(true);
    const pairs = received[0]?.rawHeaders ?? [];
    for (const [name, value] of Object.entries(headers)) expect(pairs[pairs.indexOf(name) + 1]).toBe(value);
    await running.printed(/"answered":202/);
    const get = { ...sent, method: "GET", headers: {}, body: Buffer.alloc(0) } as const;
    expect(await sendTo(port, get)).toEqual([202, "from the app"]);
    expect(received[1]).toMatchObject({ method: "GET", body: Buffer.alloc(0) });
    expect((await running.interrupt()).code).toBe(130);
  });

  it("keeps what comes while the app is away, and answers 502", async () => {
    const closed = createServer();
    const away = await serve(closed);
    await new Promise((resolve) => closed.close(resolve));
    const folder = temporaryFolder();
    const running = startCapture(["--once", "--save", folder, "--forward", `http://127.0.0.1:${away}/`]);
    const { port, awkward } = await running.listening;
    expect(await sendTo(port, rendered(awkward, { method: "POST", template: PRINTED }))).toEqual([502, ""]);
    const { code, stderr } = await running.ended;
    expect([code, stderr]).toEqual([0, expect.stringContaining("The endpoint of --forward cannot be reached")]);
    expect(readdirSync(folder)).toContain("callback-001.json");
  });

  it("passes nothing on to another machine unless it is told to", async () => {
    const { code, stdout } = await startCapture(["--forward", "https://example.com/sms"]).ended;
    expect([code, stdout]).toEqual([2, expect.stringContaining('"code":"not-loopback"')]);
  });
});

describe("capture --save", () => {
  const SECRETS = { header: "canary-of-the-header", query: "canary-of-the-query", basic: "canary-of-basic" };

  it("keeps the exact bytes in files of their own, which the next run, fixture and send read", async () => {
    const folder = temporaryFolder();
    const first = startCapture(["--save", folder]);
    const { port, awkward } = await first.listening;
    const text = rendered(awkward, { method: "POST", template: PRINTED });
    const zipped = { ...text, headers: { ...text.headers, "Content-Encoding": "gzip" }, body: gzipSync(text.body) };
    await sendTo(port, rendered("somebody else's", { method: "POST", template: PRINTED }));
    await sendTo(port, zipped);
    await first.printed(/"type":"conclusion"/);
    expect((await first.interrupt()).code).toBe(130);
    const file = join(folder, "callback-002.json");
    expect(readdirSync(folder).sort()).toEqual(["callback-001.json", "callback-002.json", "capture.json"]);
    expect(statSync(file).mode & 0o077).toBe(0);
    const saved = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
    expect(saved).toMatchObject({ method: "POST", url: "/sms", receivedAt: expect.stringMatching(/Z$/) });
    expect(Buffer.from(saved.body ?? "", "base64").equals(zipped.body)).toBe(true);

    // A file that was cut off is no obstacle, and none is overwritten.
    writeFileSync(join(folder, "callback-003.json"), '{"method":"PO');
    const second = startCapture(["--once", "--save", folder]);
    const ran = await second.ended;
    const [conclusion] = conclusionsOf(ran);
    expect([ran.code, (await second.listening).awkward]).toEqual([0, awkward]);
    expect(ran.stderr).toContain("Files of the folder that cannot be read: 1.");
    expect(conclusion && saysOf(conclusion, "other callbacks")).toEqual(["proven: 1 of 1 are read by these options."]);

    const sms = routerOf(conclusion?.code ?? "").on("message", () => undefined);
    expect((await sms.receive(fixture(file))).message?.text).toBe(awkward);
    const heard = incomingSms({ authenticate: false, logger: { warn: () => undefined, error: () => undefined } });
    const app = await serve(createServer(heard.on("message", () => undefined)));
    expect((await command(["send", "--from", file, "--url", `http://127.0.0.1:${app}/`])).code).toBe(0);
  });

  it.each<[how: string, sent: (text: string) => Sent]>([
    [
      "a header and the query",
      (text) =>
        rendered(text, {
          method: "POST",
          template: PRINTED,
          query: `token=${SECRETS.query}`,
          headers: { "X-Callback-Token": SECRETS.header },
        }),
    ],
    [
      "Basic authentication and a GET",
      (text) =>
        rendered(text, {
          method: "GET",
          template: "id=<id>&source=<source>&recipient=<recipient>&message=<message>",
          query: `to%6ben=${SECRETS.query}`,
          insert: percent,
          headers: { Authorization: `Basic ${SECRETS.basic}` },
        }),
    ],
  ])("keeps and prints no secret: %s", async (_how, sent) => {
    const folder = temporaryFolder();
    const running = startCapture(["--once", "--save", folder]);
    const { port, awkward } = await running.listening;
    await sendTo(port, sent(awkward));
    const ran = await running.ended;
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    for (const secret of Object.values(SECRETS))
      expect([ran.stdout, ran.stderr, ...files].join()).not.toContain(secret);
    expect(files.join()).toContain("not-kept");
    // It says which of them to demand.
    const [conclusion] = conclusionsOf(ran);
    expect(conclusion?.code).toMatch(/authenticate: \{ (?:header: "X-Callback-Token"|basic:)/);
    expect(conclusion?.code).toContain('authenticate: { query: "token"');
    expect(ran.code).toBe(0);
  });

  it("exits with 2 if the folder cannot be used, and if the port is not free", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    const noFolder = await startCapture(["--save", file]).ended;
    expect([noFolder.code, noFolder.stdout]).toEqual([2, expect.stringContaining('"code":"wrong-use"')]);
    const port = await serve(createServer());
    const { code, stdout } = await command(["capture", "--port", String(port), "--json"]);
    expect([code, stdout]).toEqual([3, expect.stringContaining('"code":"port-taken"')]);
  });
});

describe("capture for people", () => {
  it("prints the text to send on stderr, findings and code on stdout, and ends when it is interrupted", async () => {
    const { child, printed, ended: whenEnded } = startCommand(["capture", "--port", "0"]);
    const [, port] = await printed(/^Listening on http:\/\/127\.0\.0\.1:(\d+)/m);
    const [, awkward = ""] = await printed(/^ {4}(\w{4} "A" 'b' .*😀)$/m);
    await sendTo(Number(port), rendered(awkward, { method: "POST", template: PRINTED }));
    await printed(/^\}\);$/m);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await whenEnded;
    expect(code).toBe(130);
    expect(stdout).toMatch(
      /^[\d:]{8} POST application\/json, \d+ bytes, answered 200\. It is the text that was asked for\.$/m,
    );
    expect(stdout).toMatch(/^proven {6}escaping +It comes as it was typed, not escaped\.$/m);
    expect(stdout).toContain('escaping: "none",');
    expect(stderr).toContain("What comes is gone when this ends");
    expect(stdout + stderr).not.toContain("876500001");
  });
});
