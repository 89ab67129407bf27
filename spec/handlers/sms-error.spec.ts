// The payload of `error`: it says what failed, and prints nothing of the SMS.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { format, inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "@jest/globals";
import { SmsError, type Inbox } from "express-kaleyra-sms";
import pino from "pino";
import winston from "winston";

import { post } from "../support/callbacks";
import { recorder } from "../support/recorder";

const SECRETS = ["919876543210", "c4n4ry"];
const SMS = post({ message: "STOP c4n4ry", source: "919876543210" });

/** The error of a handler that throws. */
async function errorOf(cause: unknown): Promise<SmsError> {
  const { sms, errors } = recorder();
  sms.on("message", () => {
    throw cause;
  });
  await sms.receive(SMS);
  const [error] = errors;
  if (error === undefined) throw new Error("no error was emitted");
  return error;
}

describe("an SmsError", () => {
  it("is an Error that says what failed, with the code, the attempt and the cause", async () => {
    const cause = new RangeError("no c4n4ry");
    const error = await errorOf(cause);
    expect(error).toBeInstanceOf(SmsError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "SmsError",
      code: "KALEYRA_SMS_HANDLER_FAILED",
      event: "message",
      attempt: 1,
      final: true,
    });
    expect(error.message).toMatch(/^A handler of "message" failed: RangeError at .*See .*#kaleyra_sms_handler_failed$/);
    expect(error.cause).toBe(cause);
    expect(error.smsMessage?.text).toBe("STOP c4n4ry");
  });

  it("has the code of a time-out, which is its cause", async () => {
    const { sms, errors } = recorder({ handlerTimeoutMs: 20 });
    sms.keyword("STOP", () => new Promise(() => undefined));
    await sms.receive(SMS);
    expect(errors).toMatchObject([{ code: "KALEYRA_SMS_HANDLER_TIMEOUT", event: "keyword" }]);
    expect(errors[0]?.message).toBe((errors[0]?.cause as Error).message);
  });

  it.each([
    ["KALEYRA_SMS_INBOX_FAILED", () => Promise.reject(new Error("disk c4n4ry"))],
    ["KALEYRA_SMS_INBOX_CONTRACT", () => Promise.resolve("c4n4ry")],
    ["KALEYRA_SMS_STORE_TIMEOUT", () => new Promise(() => undefined)],
  ])("of the inbox has the code %s", async (code, store) => {
    const inbox = { store, start: () => undefined, close: () => Promise.resolve() } as unknown as Inbox;
    const { sms, errors } = recorder({ inbox, storeTimeoutMs: 20 });
    await sms.receive(SMS);
    expect(errors).toMatchObject([{ code, event: "inbox" }]);
    expect(printed(errors[0])).not.toMatch(/c4n4ry|919876543210/);
    expect(errors[0]?.smsMessage?.text).toBe("STOP c4n4ry");
  });

  it("does not take over the code of an error that a handler made up", async () => {
    const cause = Object.assign(new Error("no"), { code: "KALEYRA_SMS_INBOX_CLOSED" });
    expect((await errorOf(cause)).code).toBe("KALEYRA_SMS_HANDLER_FAILED");
  });
});

/** Everything that prints an error. */
function printed(error: unknown): string {
  return [
    // As console.error does.
    format(error),
    format("%s %o %O %j", error, error, error, error),
    inspect(error, { depth: 10, showHidden: true }),
    inspect({ nested: [error] }, { depth: 10 }),
    JSON.stringify(error),
    JSON.stringify({ error }),
    String(error),
    (error as Error).stack,
    JSON.stringify(Object.assign({}, error)),
  ].join("\n");
}

describe("what prints an error prints no number and no text", () => {
  it.each<[string, unknown]>([
    ["an error", new Error("not for +919876543210: STOP c4n4ry")],
    ["an error with properties", Object.assign(new Error("no"), { to: "919876543210", sms: { text: "c4n4ry" } })],
    ["an error with a cause", new Error("no", { cause: new Error("c4n4ry 919876543210") })],
    ["an object", { source: "919876543210", text: "c4n4ry" }],
    ["a string", "c4n4ry 919876543210"],
    ["an AggregateError", new AggregateError([new Error("c4n4ry")], "919876543210")],
  ])("of a cause that is %s", async (_kind, cause) => {
    const text = printed(await errorOf(cause));
    for (const secret of SECRETS) expect(text).not.toContain(secret);
    expect(text).toContain("KALEYRA_SMS_HANDLER_FAILED");
  });

  const cause = new Error("not for +919876543210: STOP c4n4ry", { cause: { text: "c4n4ry" } });

  it.each<[string, unknown]>([
    ["an error", cause],
    ["an error with properties", Object.assign(new Error("no"), { to: "919876543210", sms: { text: "c4n4ry" } })],
    ["an object", { source: "919876543210", text: "c4n4ry" }],
    ["a string", "c4n4ry 919876543210"],
  ])("with winston, through the format in docs/errors.md, of a cause that is %s", async (_kind, thrown) => {
    const page = readFileSync(join(__dirname, "../../docs/errors.md"), "utf8");
    const [code = ""] = /^```js\nimport winston [^]*?(?=```)/m.exec(page) ?? [];
    const lines: string[] = [];
    const stream = new Writable({ write: (line, _encoding, done) => done(void lines.push(String(line))) });
    const transport: unknown = new winston.transports.Stream({ stream });
    const logger = winston.createLogger({ transports: transport as winston.transport });
    const createLogger = (options: winston.LoggerOptions): void =>
      void (logger.format = options.format ?? logger.format);
    runInNewContext(code.replaceAll(/^(?:```|import ).*$/gm, ""), {
      winston: { ...winston, format: winston.format, createLogger },
    });
    const error = await errorOf(thrown);
    logger.error(error);
    logger.error("failed", error);
    logger.error("failed", { error });
    await new Promise((resolve) => logger.on("finish", resolve).end());
    expect(lines).toHaveLength(3);
    expect(lines.join()).toContain("KALEYRA_SMS_HANDLER_FAILED");
    for (const secret of SECRETS) expect(lines.join()).not.toContain(secret);
  });

  it("with pino, through the serializer in docs/recipes/pino.md", async () => {
    const page = readFileSync(join(__dirname, "../../docs/recipes/pino.md"), "utf8");
    const [, code = ""] = /```js\n\/\/ log.js\n(import pino [^]*?)```/.exec(page) ?? [];
    const [registered = ""] = /^sms\.on\("error".*$/m.exec(page) ?? [];
    const lines: string[] = [];
    const stream = { write: (line: string) => lines.push(line) };
    const { sms } = recorder();
    const pinoTo = Object.assign((options: pino.LoggerOptions) => pino(options, stream), pino);
    const script = `${code}\n${registered}`.replaceAll(/^import .*$|^export /gm, "");
    runInNewContext(script, { pino: pinoTo, SmsError, sms });
    sms.on("message", () => {
      throw cause;
    });
    await sms.receive(SMS);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { err: { code: "KALEYRA_SMS_HANDLER_FAILED", cause: expect.stringMatching(/^Error at /) } },
    ]);
    for (const secret of SECRETS) expect(lines.join()).not.toContain(secret);
  });
});
