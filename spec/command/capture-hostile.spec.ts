// `capture` with callers, endpoints and folders that nobody wants: none of them ends it, and nothing that came is lost.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";

import { ended, temporaryFolder } from "../inbox/temporary";
import { conclusionsOf, saysOf, startCapture } from "../support/capturing";
import { MAIN } from "../support/command";
import { escaped, rendered, sendTo, type Sent } from "../support/stand-in-provider";

const SIMPLE = '{"id": "<id>", "source": "<source>", "recipient": "<recipient>", "message": "<message>"}';
const callback = (text: string): Sent => rendered(text, { method: "POST", template: SIMPLE, insert: escaped });
const withBody = (body: string): Sent => ({ ...callback(""), body: Buffer.from(body) });

const callbackFiles = (folder: string): string[] =>
  readdirSync(folder).filter((name) => /^callback-\d+\.json$/.test(name));

describe("capture and what strangers send", () => {
  it("outlives objects that are nested too deeply to be written, also when it starts again", async () => {
    const folder = temporaryFolder();
    const first = startCapture(["--save", folder]);
    const { port } = await first.listening;
    const deep = withBody(`{"a":${"[".repeat(6000)}${"]".repeat(6000)}}`);
    expect(await sendTo(port, deep)).toEqual([200, ""]);
    await first.printed(/"type":"callback"/);
    expect((await first.interrupt()).code).toBe(130);
    const second = startCapture(["--once", "--save", folder]);
    const listening = await second.listening;
    await sendTo(listening.port, callback(listening.awkward));
    expect((await second.ended).code).toBe(0);
  });

  it("looks at 150,000 line breaks in no time", async () => {
    const running = startCapture([]);
    const { port, awkward } = await running.listening;
    const [nonce] = awkward.split(" ");
    const body = callback("TEXT")
      .body.toString()
      .replace("TEXT", `up${"\n".repeat(150_000)}x ${nonce} up\ndown`);
    await sendTo(port, withBody(body));
    await running.printed(/"type":"conclusion"/);
    expect((await running.interrupt()).code).toBe(130);
  });

  it("answers a flood of the text first, and concludes of all of it together", async () => {
    const running = startCapture([]);
    const { port, awkward } = await running.listening;
    const answers = await Promise.all(Array.from({ length: 200 }, () => sendTo(port, callback(awkward))));
    expect(new Set(answers.map(([status]) => status))).toEqual(new Set([200]));
    // It is reported after those before it.
    await sendTo(port, callback("hello"));
    await running.printed(/"isAsked":false/);
    await running.printed(/"type":"conclusion"/);
    const conclusions = conclusionsOf(await running.interrupt());
    expect(conclusions.length).toBeGreaterThan(0);
    expect(conclusions.length).toBeLessThan(100);
  });

  it("says how many callbacks it no longer looks at", async () => {
    const folder = temporaryFolder();
    const { method, path: url, headers, body } = callback("hello");
    const saved = JSON.stringify({ method, url, headers, body: body.toString("base64") });
    for (let number = 1; number <= 1_010; number += 1)
      writeFileSync(join(folder, `callback-${String(number).padStart(3, "0")}.json`), saved);
    const running = startCapture(["--once", "--save", folder]);
    const { port, awkward } = await running.listening;
    await sendTo(port, callback(awkward));
    const [conclusion] = conclusionsOf(await running.ended);
    expect(conclusion && saysOf(conclusion, "other callbacks")).toContain(
      "not proven: 11 more came before these, and are not looked at.",
    );
  });

  it("lets a client write a body that is far too large to its end, and answers 413", async () => {
    const running = startCapture([]);
    const { port } = await running.listening;
    // A client that reads nothing before it has written everything.
    const client = connect(port, "127.0.0.1").pause();
    const answer = new Promise<string>((resolve, reject) => {
      client.on("error", reject);
      client.write("POST /sms HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n");
      client.write(" ".repeat(10_000_000), () => client.once("data", (data) => resolve(String(data))).resume());
    });
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
    expect((await running.interrupt()).code).toBe(130);
  });

  it.each<[what: string, body: (text: string) => string]>([
    ["an object in an object", (text) => `{"sms":{"message":${JSON.stringify(text)}}}`],
    ["a value without quotes in a body that is no JSON", (text) => `{"n": x, "message": "${text}"}`],
  ])("says that the text is there and cannot be distinguished from the rest: %s", async (_what, body) => {
    const running = startCapture([]);
    const { port, awkward } = await running.listening;
    await sendTo(port, withBody(body(awkward)));
    await running.printed(/"hint":"What was asked for is in it, but cannot be distinguished from the rest/);
    expect((await running.interrupt()).code).toBe(130);
  });
});

describe("capture --forward and what endpoints answer", () => {
  const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";

  it.each<[what: string, answer: string, isEndless: boolean, passedOn: [status: number, body: string]]>([
    ["trailers", `${CHUNKED}Trailer: X-A\r\n\r\n2\r\nhi\r\n0\r\nX-A: 1\r\n\r\n`, false, [200, "hi"]],
    ["the status 099", "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", false, [502, ""]],
    ["the status 000", "HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n", false, [502, ""]],
    ["101", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", false, [502, ""]],
    ["no end", `${CHUNKED}\r\n`, true, [502, ""]],
  ])("goes on after an answer with %s", async (_what, answer, isEndless, passedOn) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        socket.write(answer);
        const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536, "a"), Buffer.from("\r\n")]);
        const more = (): void => {
          if (socket.writable) socket.write(chunk, more);
        };
        if (isEndless) more();
      });
    });
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    ended.push(() => server.close());
    const running = startCapture([
      "--once",
      "--forward",
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/sms`,
    ]);
    const { port, awkward } = await running.listening;
    expect(await sendTo(port, callback(awkward))).toEqual(passedOn);
    expect((await running.ended).code).toBe(0);
  });
});

describe("capture --once", () => {
  it("waits for the text with the backslash when that of two lines comes first", async () => {
    const running = startCapture(["--once"]);
    const { port, awkward, lines } = await running.listening;
    await sendTo(port, callback(lines));
    await running.printed(/"type":"conclusion"/);
    await sendTo(port, callback(awkward));
    expect((await running.ended).code).toBe(0);
  });

  it("listens again after a try of an earlier run that was not exact", async () => {
    const folder = temporaryFolder();
    const first = startCapture(["--once", "--save", folder]);
    const { port, awkward } = await first.listening;
    await sendTo(port, callback(awkward.replaceAll('"', "")));
    expect((await first.ended).code).toBe(1);
    const second = startCapture(["--once", "--save", folder]);
    const again = await second.listening;
    await second.printed(/"type":"conclusion"/);
    await sendTo(again.port, callback(again.awkward));
    expect((await second.ended).code).toBe(0);
  });
});

describe("capture and its folder", () => {
  it("does not wait for a pipe, or count from a number that has no next one", async () => {
    const folder = temporaryFolder();
    execFileSync("sh", ["-c", 'mkfifo "$0"', join(folder, "callback-001.json")]);
    writeFileSync(join(folder, "callback-9007199254740992.json"), "{}");
    const running = startCapture(["--save", folder]);
    const { port } = await running.listening;
    expect(await sendTo(port, callback("hello"))).toEqual([200, ""]);
    await running.printed(/"file":".*callback-002\.json"/);
    expect((await running.interrupt()).stderr).toContain("Files of the folder that cannot be read: 1.");
  });

  it.each([
    ["another program's", '{"name":"capture"}'],
    ["empty", ""],
  ])("refuses a folder whose capture.json is %s, and leaves it as it is", async (_what, content) => {
    const folder = temporaryFolder();
    const file = join(folder, "capture.json");
    writeFileSync(file, content);
    const { code, stdout } = await startCapture(["--save", folder]).ended;
    expect([code, stdout]).toEqual([2, expect.stringContaining("is not a file of capture, or it is damaged")]);
    expect(readFileSync(file, "utf8")).toBe(content);
  });

  it("shares a folder with another run: each callback gets a file of its own", async () => {
    const folder = temporaryFolder();
    const first = startCapture(["--save", folder]);
    const runs = [first, await first.listening.then(() => startCapture(["--save", folder]))];
    const ports = await Promise.all(runs.map(async ({ listening }) => (await listening).port));
    const answers = await Promise.all(
      ports.flatMap((port) => Array.from({ length: 150 }, () => sendTo(port, callback("hello")))),
    );
    expect(answers.filter(([status]) => status !== 200)).toEqual([]);
    expect(callbackFiles(folder)).toHaveLength(300);
    for (const run of runs) expect((await run.interrupt()).code).toBe(130);
  });

  it("says what to do when the folder is gone", async () => {
    const folder = join(temporaryFolder(), "callbacks");
    mkdirSync(folder);
    const running = startCapture(["--save", folder]);
    const { port } = await running.listening;
    rmSync(folder, { recursive: true });
    expect(await sendTo(port, callback("hello"))).toEqual([500, ""]);
    const { code, stdout } = await running.ended;
    expect([code, stdout]).toEqual([1, expect.stringContaining("The folder was removed or renamed: put it back")]);
  });

  it("leaves no half of a file where there is no room", async () => {
    const folder = temporaryFolder();
    const line = `ulimit -f 2; exec "${process.execPath}" "${MAIN}" capture --port 0 --json --save "${folder}"`;
    const child = spawn("sh", ["-c", line], { stdio: ["ignore", "pipe", "ignore"] });
    ended.push(() => child.kill("SIGKILL"));
    let stdout = "";
    const listening = new Promise<number>((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (more: string) => {
        stdout += more;
        const [, port] = /127\.0\.0\.1:(\d+)/.exec(stdout) ?? [];
        if (port !== undefined) resolve(Number(port));
      });
    });
    const closed = new Promise((resolve) => child.on("close", resolve));
    expect(await sendTo(await listening, callback("long ".repeat(1_000)))).toEqual([500, ""]);
    expect([await closed, stdout]).toEqual([1, expect.stringContaining("Make room")]);
    expect(callbackFiles(folder)).toEqual([]);
  });
});
