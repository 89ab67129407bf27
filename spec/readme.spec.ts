// The README: its first example and its recipe run as printed, its snippets compile, and its tables match the code.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "@jest/globals";
import { incomingSms } from "express-kaleyra-sms";
import { metrics } from "express-kaleyra-sms/metrics";
import schema from "express-kaleyra-sms/schema.json";
import { fixture, memoryInbox, settled, subscriber } from "express-kaleyra-sms/testing";
import Database from "libsql";
import * as client from "prom-client";
import ts from "typescript";

import { recorder, until } from "./support/recorder";

const ROOT = join(__dirname, "..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");

/** The contents of the code blocks of one language. */
function blocks(language: string): string[] {
  return Array.from(README.matchAll(/^```(\S*)\n([^]*?)^```$/gm))
    .filter(([, name]) => name === language)
    .map(([, , code = ""]) => code);
}

/** The only block of a language that contains a text. */
function block(language: string, text: string): string {
  const [found, ...more] = blocks(language).filter((code) => code.includes(text));
  if (found === undefined || more.length > 0)
    throw new Error(`The README must have exactly one ${language} block with ${text}.`);
  return found;
}

/** The rows of the table under a heading. */
function tableUnder(heading: string): string[][] {
  const section = README.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The names in back quotes in the first column. */
function names(rows: string[][]): string[] {
  return rows.flatMap(([first = ""]) => Array.from(first.matchAll(/`([^`]+)`/g), ([, name]) => name ?? ""));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("the first example", () => {
  it("prints the README's output if the README's curl command is pasted into a shell", async () => {
    const port = String(await freePort());
    const example = block("js", "app.listen(3000)").replaceAll("3000", port);
    const curl = block("sh", "curl -i").replaceAll("3000", port);
    const server = spawn(process.execPath, ["--input-type=module", "-e", example], { cwd: ROOT });
    try {
      while (!(await listens(port))) expect(server.exitCode).toBe(null);
      const printed = until(server.stdout, "\n}\n");
      expect(execFileSync("sh", ["-c", curl], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })).toMatch(
        /^HTTP\/1.1 200 OK/,
      );
      const arrival = /receivedAt: '.*'/;
      expect((await printed).replace(arrival, "")).toBe(block("", "no more messages to +").replace(arrival, ""));
    } finally {
      server.kill();
    }
  });

  async function listens(port: string): Promise<boolean> {
    try {
      return (await fetch(`http://localhost:${port}/sms`, { method: "OPTIONS" })).ok;
    } catch {
      return false;
    }
  }
});

const IMPORT = /^import .*\n/gm;
const imports = (code: string): string => (code.match(IMPORT) ?? []).join("");

it("has snippets that compile", () => {
  const prelude = `
    import { createServer, type Server } from "node:http";
    import express, { type Express } from "express";
    import { Hono } from "hono";
    import { alone, callbackProfile, incomingSms, OPT_OUT, POSSIBLE_OPT_OUT, type IncomingSms, type OperableInbox, type SmsMessage } from "express-kaleyra-sms";
    import { sqliteInbox, type SqliteDatabase } from "express-kaleyra-sms/sqlite";
    declare const app: Express, server: Server;
    declare const inbox: OperableInbox, DatabaseSync: new (path: string) => SqliteDatabase;
    declare function join(source: string, plan?: string): Promise<void>;
    declare function tellBalance(source: string): Promise<void>;
    declare function confirm(source: string, code: string): void;
    declare function optOut(source: string): Promise<void>;
    declare function decryptAs(field: string, value: string): string;
    declare function forwardToAPerson(message: SmsMessage): void;
    declare function createSms(): IncomingSms;
    const sms = incomingSms();\n`;
  const snippets = blocks("ts");
  expect(snippets.length).toBeGreaterThan(3);
  const exported =
    "app, express, server, createServer, createSms, join, tellBalance, confirm, optOut, decryptAs, forwardToAPerson, " +
    "Hono, inbox, DatabaseSync, sqliteInbox, sms, alone, OPT_OUT, POSSIBLE_OPT_OUT, callbackProfile";
  // A snippet stands in a block, in which its own names hide those of the prelude; imports cannot stand there. One that
  // exports is a whole module.
  const sources = new Map(
    snippets.map((code, index) => [
      join(ROOT, `snippet-${index}.mts`),
      /^export /m.test(code)
        ? code
        : `${imports(code)}${prelude}{\n${code.replace(IMPORT, "")}\n}\nexport { ${exported} };`,
    ]),
  );
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (file) => sources.has(file) || fileExists(file);
  host.getSourceFile = (file, language, ...rest) => {
    const code = sources.get(file);
    return code === undefined ? getSourceFile(file, language, ...rest) : ts.createSourceFile(file, code, language);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  const found = ts.getPreEmitDiagnostics(program).map((one) => ts.flattenDiagnosticMessageText(one.messageText, "\n"));
  expect(found).toEqual([]);
}, 60_000);

describe("the recipe for changes and replies", () => {
  const code = block("js", "CREATE TABLE IF NOT EXISTS reply");
  const asha = "+919876543210";
  const closing: Array<() => Promise<void>> = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  /** Runs the recipe over an API that knows the idempotency keys of what it has sent. */
  function shop() {
    const database = new Database(":memory:");
    const inbox = memoryInbox({ attempts: 3, backoffMs: 60_000 });
    const { sms } = recorder({ inbox });
    const optedOut = new Set<string>();
    const sent = new Map<string, string>();
    const api = { calls: 0, isDown: false, losesAnswers: false };
    const taken: string[] = [];
    const sendSms = ({ to, text, idempotencyKey }: Record<"to" | "text" | "idempotencyKey", string>): Promise<void> => {
      api.calls++;
      if (api.isDown) return Promise.reject(new Error("down"));
      if (!sent.has(idempotencyKey)) sent.set(idempotencyKey, `${to} ${text}`);
      return api.losesAnswers ? Promise.reject(new Error("no answer")) : Promise.resolve();
    };
    const takeCoupon = (source: string): string => `C${taken.push(source)}`;
    const hasOptedOut = (source: string): boolean => optedOut.has(source);
    runInNewContext(code, { database, sms, sendSms, takeCoupon, hasOptedOut });
    closing.push(async () => {
      await sms.close();
      database.close();
    });
    return { sms, inbox, api, optedOut, taken, sent: () => [...sent.values()] };
  }

  it("makes the change once, and sends the reply when the API is up again", async () => {
    const { sms, inbox, api, taken, sent } = shop();
    api.isDown = true;
    await subscriber(sms).text("COUPON");
    await inbox.advance(60_000);
    expect([taken, sent()]).toEqual([[asha], []]);
    api.isDown = false;
    await inbox.advance(120_000);
    expect([taken, sent()]).toEqual([[asha], [`${asha} Your coupon: C1`]]);
  });

  it("sends a reply once, also if the API's answer is lost, or a sent reply is handled again", async () => {
    const { sms, inbox, api, taken, sent } = shop();
    sms.on("message", (_message, { attempt }) => {
      if (attempt < 3) throw new Error("another handler");
    });
    api.losesAnswers = true;
    await subscriber(sms).text("COUPON");
    await settled(sms);
    api.losesAnswers = false;
    await inbox.advance(180_000);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
    expect([taken, sent(), api.calls]).toEqual([[asha], [`${asha} Your coupon: C1`], 2]);
  });

  it("sends nothing to a subscriber who opted out, before or meanwhile", async () => {
    const { sms, inbox, api, optedOut, taken, sent } = shop();
    api.isDown = true;
    await subscriber(sms).text("COUPON");
    await settled(sms);
    optedOut.add(asha);
    api.isDown = false;
    await inbox.advance(60_000);
    await subscriber(sms).text("COUPON");
    await settled(sms);
    expect([taken, sent()]).toEqual([[asha], []]);
  });
});

it("has a test to paste, which passes without a warning", () => {
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  try {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(ROOT, join(folder, "node_modules", "express-kaleyra-sms"));
    writeFileSync(join(folder, "sms.test.mjs"), block("js", 'from "node:test"'));
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--test", "--test-reporter=tap"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("# pass 1\n");
    expect(stdout).not.toContain("KALEYRA_SMS_");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("shows a saved callback that fixture reads", async () => {
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  try {
    const file = join(folder, "callback.json");
    writeFileSync(file, block("json", '"body"'));
    const { sms } = recorder();
    expect((await sms.receive(fixture(file))).message?.text).toBe("Stop");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("the text to paste into the console", () => {
  it("is a request body with every field of the table except the parts", async () => {
    const template = block("json", "<source>");
    const fields = Object.keys(schema.properties).filter((name) => name !== "parts[n]");
    expect(JSON.parse(template)).toEqual(Object.fromEntries(fields.map((name) => [name, `<${name}>`])));
    const filled = template.replace("<status>", "SENT").replace(/<(\w+)>/g, "value of $1");
    expect(await incomingSms({ authenticate: false }).receive({ method: "POST", body: filled })).toMatchObject({
      outcome: "handled",
    });
  });

  it("is a GET endpoint with the keyword and the parts", async () => {
    const { sms, messages } = recorder();
    const endpoint = block("", "?id=<id>").trim();
    const query = endpoint
      .slice(endpoint.indexOf("?") + 1)
      .replace("<status>", "SENT")
      .replace("<keyword>", "STOP")
      .replace("<parts[1]>", "STOP")
      .replace("<parts[2]>", "it")
      .replace(/<(\w+)>/g, "1234");
    expect(await sms.receive({ method: "GET", query })).toMatchObject({ outcome: "handled" });
    expect(messages).toMatchObject([{ keyword: "STOP", parts: ["STOP", "it"] }]);
  });
});

describe("the tables", () => {
  /** The list in the message of the TypeError that `cause` throws. */
  const listed = (cause: () => unknown, list: RegExp): string[] | undefined => {
    try {
      cause();
    } catch (error) {
      return list.exec((error as Error).message)?.[1]?.split(", ");
    }
    return undefined;
  };

  it("list every field, with its description in the schema", () => {
    const rows = tableUnder("Fields");
    expect(names(rows)).toEqual(Object.keys(schema.properties));
    expect(rows.map((row) => row.at(-1))).toEqual(
      Object.values(schema.properties).map(({ description }) => description),
    );
  });

  it("list every option, and nothing else", () => {
    const options = listed(() => incomingSms({ "?": 1 } as never), /The options are (.*?)\./);
    expect(names(tableUnder("Options"))).toEqual(options);
  });

  it("list every event, and nothing else", () => {
    const events = listed(() => incomingSms().on("?" as never, () => undefined), /use one of (.*?)\./);
    expect(names(tableUnder("Events"))).toEqual(events);
  });

  it("list every metric with its labels, and nothing else", async () => {
    const sms = incomingSms({ inbox: memoryInbox(), authenticate: false });
    const register = new client.Registry();
    metrics(sms, { client, register, prefix: "_" });
    // The types of the client do not have what it knows of a metric's labels.
    const made = register.getMetricsAsArray() as ReadonlyArray<{ name: string; labelNames?: string[] }>;
    const registered = made.map(({ name, labelNames = [] }) =>
      labelNames.length === 0 ? name.slice(1) : `${name.slice(1)}{${labelNames.join(",")}}`,
    );
    expect(names(tableUnder("Metrics")).sort()).toEqual(registered.sort());
    await sms.close();
  });
});
