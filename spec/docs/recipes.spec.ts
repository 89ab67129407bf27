// docs/recipes: the files of the pages run as printed, and print what the pages say. .ci/recipes runs those that need a
// framework.

import { execFileSync } from "node:child_process";
import { request, type RequestListener } from "node:http";
import { readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { parseAllDocuments } from "yaml";

import { ended, temporaryFolder } from "../inbox/temporary";
import { command, startCommand } from "../support/command";
import { callback } from "../support/callbacks";
import { freePort } from "../support/free-port";
import { closeServers, listen } from "../support/recorder";
import { AppProcess } from "../watch/app-process";
import { readPage, ROOT } from "./page";

jest.setTimeout(60_000);
afterEach(closeServers);

const INDEX = readPage("docs/recipes/README.md");
const NPX = "npx express-kaleyra-sms ";
const CALLBACK_TOKEN = "try-me";

/** A folder with the files of recipes, from which the package can be imported. */
function folderOf(...recipes: string[]): string {
  const folder = temporaryFolder();
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const pages = ["README", ...recipes].map((name) => join(ROOT, "docs", "recipes", `${name}.md`));
  execFileSync(process.execPath, [join(ROOT, ".ci", "files-of.mjs"), ...pages], { cwd: folder });
  return folder;
}

/** The command lines of a page that contain a text, as arguments. */
function commandsOf({ blocks }: { blocks: typeof INDEX.blocks }, text: string): string[][] {
  const lines = blocks("sh").flatMap((block) => block.trim().split("\n"));
  const found = lines.filter((line) => line.startsWith(NPX) && line.includes(text));
  expect(found).not.toEqual([]);
  return found.map((line) =>
    (line.slice(NPX.length).match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/, "$2")),
  );
}

/** Runs code in a folder, as a module in a process of its own. */
function run(code: string, cwd: string, env: Readonly<Record<string, string | undefined>> = {}): string {
  const args = ["--no-warnings", "--input-type=module", "-e", code];
  return execFileSync(process.execPath, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, CALLBACK_TOKEN, ...env },
  });
}

it("lists every recipe", () => {
  const linked = Array.from(INDEX.text.matchAll(/\]\(([\w-]+\.md)\)/g), ([, page = ""]) => page);
  expect(linked.sort()).toEqual(
    readdirSync(join(ROOT, "docs/recipes"))
      .filter((name) => name !== "README.md")
      .sort(),
  );
});

it("has a router that does and prints what the page says, on Cloud Run", async () => {
  const port = String(await freePort());
  const env = { PORT: port, CALLBACK_TOKEN };
  const begun = "OPTIONS"; // printed by what is loaded first, since the server of the page prints nothing itself
  const cwd = folderOf("cloud-functions");
  writeFileSync(join(cwd, "begin.js"), `import "./server.js"; setImmediate(() => console.log("${begun}"));`);
  const app = await AppProcess.start(cwd, "begin.js", { env, begun });
  const codes: unknown[] = [];
  for (const args of commandsOf(INDEX, "send "))
    codes.push((await command([...args, "--url", `http://127.0.0.1:${port}/sms`], { env: { CALLBACK_TOKEN } })).code);
  expect(codes).toEqual([0, 0, 1]);
  const own = app.lines.filter((line) => !/^express-kaleyra-sms: |^OPTIONS$/.test(line)).join("\n");
  expect(own).toBe(INDEX.block("", "no more messages"));
});

describe("aws-lambda.md", () => {
  const PAGE = readPage("docs/recipes/aws-lambda.md");
  const event = PAGE.block("json", "rawPath");

  it("prints what the page says", () => {
    const cwd = folderOf("aws-lambda");
    writeFileSync(join(cwd, "event.json"), event);
    const printed = run('await import("./try.mjs")', cwd);
    expect(printed.replace(/^express-kaleyra-sms: The first callback came.*\n/, "")).toBe(PAGE.block("", "statusCode"));
  });

  it("reads bodies in Base64 and queries, and rejects a wrong secret", () => {
    const code = `
      import { handler } from "./index.mjs";
      const event = ${event};
      const { http } = event.requestContext;
      const answers = [];
      const call = async (changes) => answers.push((await handler({ ...event, ...changes })).statusCode);
      const body = Buffer.from(event.body.replace("STOP", '\\\\"hi\\\\" 🙏').replace('"1"', '"2"')).toString("base64");
      await call({ body, isBase64Encoded: true });
      await call({
        body: undefined,
        requestContext: { ...event.requestContext, http: { ...http, method: "GET" } },
        rawQueryString: "id=3&source=919876543210&recipient=5050&keyword=STOP",
      });
      await call({ headers: { ...event.headers, "x-callback-token": "wrong" } });
      console.log(JSON.stringify(answers));`;
    const printed = run(code, folderOf("aws-lambda"));
    expect(printed).toContain(String.raw`+919876543210 wrote "\"hi\" 🙏"`);
    expect(printed).toContain("+919876543210 wrote undefined");
    expect(printed.trim().split("\n").at(-1)).toBe("[200,200,403]");
  });
});

it("kubernetes.md has manifests that give a pod the time to end, and send to what the app listens on", () => {
  const page = readPage("docs/recipes/kubernetes.md");
  const [yaml = ""] = page.blocks("yaml");
  const documents = parseAllDocuments(yaml);
  if ("empty" in documents) throw new Error("The page has no manifests.");
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  const [deployment, service] = documents;
  const pod = ["spec", "template", "spec"];
  const container = [...pod, "containers", 0];
  const drainMs = Number(/DRAIN_MS, value: "(\d+)"/.exec(yaml)?.[1]);
  const graceMs = Number(deployment?.getIn([...pod, "terminationGracePeriodSeconds"])) * 1_000;
  const takesMs = drainMs + 10_000 + 5_000; // handlerTimeoutMs and storeTimeoutMs, by default
  expect(graceMs).toBeGreaterThan(takesMs);
  expect(page.text).toContain(`that is ${takesMs / 1_000} seconds.`);
  const port = deployment?.getIn([...container, "ports", 0, "containerPort"]);
  expect(deployment?.getIn([...container, "readinessProbe", "httpGet", "port"])).toBe(port);
  expect(service?.getIn(["spec", "ports", 0, "targetPort"])).toBe(port);
  const labels = [
    deployment?.getIn(["spec", "selector", "matchLabels"]),
    deployment?.getIn(["spec", "template", "metadata", "labels"]),
    service?.getIn(["spec", "selector"]),
  ];
  expect(labels.map(String)).toEqual(Array(3).fill('{"app":"sms"}'));
});

describe("tunnel.md", () => {
  const PAGE = readPage("docs/recipes/tunnel.md");

  /** A tunnel to a port: it passes bodies on as `change` makes them. */
  const tunnelTo =
    (port: number, change: (body: Buffer) => Buffer): RequestListener =>
    (req, res) => {
      void req.toArray().then((chunks: Buffer[]) => {
        const body = change(Buffer.concat(chunks));
        const headers = { ...req.headers, "content-length": String(body.length) };
        request({ port, path: req.url, method: req.method, headers }, (answer) => {
          res.writeHead(answer.statusCode ?? 0, answer.headers);
          answer.pipe(res);
        }).end(body);
      });
    };

  async function captureThrough(change: (body: Buffer) => Buffer): Promise<ReturnType<typeof startCommand>> {
    const port = await freePort();
    const tunnel = `http://127.0.0.1:${await listen(tunnelTo(port, change))}`;
    const [args = []] = commandsOf(PAGE, "--save");
    const replaced = args.map((arg) => (arg === "https://name.example" ? tunnel : arg));
    const capture = startCommand([...replaced, "--port", String(port)], { cwd: temporaryFolder() });
    ended.push(() => capture.child.kill("SIGKILL"));
    return capture;
  }

  it("prints that a tunnel passes every byte", async () => {
    const capture = await captureThrough((body) => body);
    await capture.printed(new RegExp(`^${PAGE.block("", "every byte").trim()}$`, "m"));
    capture.child.kill("SIGINT");
    await capture.ended;
  });

  it("prints what a relay changes that writes JSON anew", async () => {
    const { ended: capture } = await captureThrough((body) => {
      try {
        return Buffer.from(JSON.stringify(JSON.parse(body.toString())));
      } catch {
        return body;
      }
    });
    const { code, stderr } = await capture;
    expect(code).toBe(1);
    expect(stderr).toContain(PAGE.block("", "JSON is changed"));
  });
});

describe("rotate-a-secret.md", () => {
  const PAGE = readPage("docs/recipes/rotate-a-secret.md");
  const SECRETS = { CALLBACK_TOKEN: "the-new-one", CALLBACK_TOKEN_OLD: "the-old-one" };

  /** The exit codes of the page's commands, at a server with these secrets. */
  async function codesWith(cwd: string, secrets: Readonly<Record<string, string>>): Promise<unknown[]> {
    const env = { PORT: String(await freePort()), NODE_ENV: "production", ...secrets };
    await AppProcess.start(cwd, "server.mjs", { env });
    const codes: unknown[] = [];
    for (const args of commandsOf(PAGE, "send ")) {
      const here = args.map((arg) => arg.replace("https://your.domain", `http://127.0.0.1:${env.PORT}`));
      codes.push((await command(here, { env: SECRETS })).code);
    }
    return codes;
  }

  it("lets both secrets in, then the new one only, and none without", async () => {
    const cwd = folderOf();
    writeFileSync(join(cwd, "sms.js"), `${PAGE.block("js", "CALLBACK_TOKEN_OLD")}sms.on("message", () => undefined);`);
    writeFileSync(
      join(cwd, "server.mjs"),
      `import { createServer } from "node:http";
       import { sms } from "./sms.js";
       const server = createServer((req, res) => { req.url = "/"; sms(req, res); });
       server.listen(process.env.PORT, "127.0.0.1", () => console.log("Listening at"));`,
    );
    expect(await codesWith(cwd, SECRETS)).toEqual([0, 0]);
    expect(await codesWith(cwd, { CALLBACK_TOKEN: SECRETS.CALLBACK_TOKEN })).toEqual([0, 1]);
    const none = { CALLBACK_TOKEN: undefined, CALLBACK_TOKEN_OLD: undefined };
    expect(() => run('await import("./sms.js")', cwd, none)).toThrow(/options\.authenticate/);
  });
});

it("pino.md has a logger that prints no number and no text", () => {
  const code = `
    import { sms } from "./sms.js";
    sms.on("message", ({ source, text }) => { throw new TypeError("canary " + source + text); });
    await sms.receive({ method: "POST", body: ${JSON.stringify(callback({ message: "canary" }))} });
    await sms.receive({ method: "POST", body: "canary" });`;
  const printed = run(code, folderOf("pino"));
  expect(printed).toContain('"msg":"An SMS could not be handled."');
  expect(printed).toMatch(/"cause":"TypeError at /);
  expect(printed).toContain("Rejected a callback");
  expect(printed).not.toMatch(/canary|9876543210/);
});

describe("encoded-texts.md", () => {
  const PAGE = readPage("docs/recipes/encoded-texts.md");

  /** What the router of a block reads of each text: text, words and source, or the code of what is invalid. */
  function read(block: string, texts: readonly string[]): unknown {
    const code = `${PAGE.block("js", block)}
      const results = [];
      sms.on("message", ({ text, parts, source }) => results.push([text, parts, source]));
      sms.on("invalid", ({ code }) => results.push(code));
      const fields = ${JSON.stringify(callback())};
      for (const [n, message] of ${JSON.stringify(texts)}.entries())
        await sms.receive({ method: "POST", body: JSON.stringify({ ...fields, id: String(n), message }) });
      console.log(JSON.stringify(results));`;
    return JSON.parse(run(code, ROOT).trim().split("\n").at(-1) ?? "");
  }

  const source = "+919876543210";
  const example = /^`(\S+)` is `(.+)`:$/gm;
  const [[, hexadecimal = "", stop] = [], [, percent = "", stopNow] = []] = PAGE.text.matchAll(example);

  it("decodes hexadecimal, and leaves other texts and fields as they are", () => {
    const encoded = Buffer.from("बंद करो 👍", "utf16le").swap16().toString("hex");
    expect(read("utf16le", [hexadecimal, encoded, "hello", "", "12345"])).toEqual([
      [stop, ["STOP"], source],
      ["बंद करो 👍", ["बंद", "करो", "👍"], source],
      ["hello", ["hello"], source],
      ["", [], source],
      ["12345", ["12345"], source],
    ]);
  });

  it("decodes percent-encoding, and leaves what is none", () => {
    expect(read("decodeURIComponent", [percent, "%E2%9C%93 100%", "a+b"])).toEqual([
      [stopNow, ["STOP", "NOW"], source],
      ["%E2%9C%93 100%", ["%E2%9C%93", "100%"], source],
      ["a+b", ["a+b"], source],
    ]);
  });
});
