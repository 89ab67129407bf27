// Handlers: how they are called and awaited, and how their failures are reported.

import { createServer } from "node:http";
import { runInNewContext } from "node:vm";
import { describe, expect, it, jest } from "@jest/globals";
import request from "supertest";
import { incomingSms, type HandlerContext, type SmsEvent } from "express-kaleyra-sms";

import { callback, post } from "../support/callbacks";
import { deferred, recorder } from "../support/recorder";

describe("handlers of one callback", () => {
  it("start in order of registration, across events, and run concurrently", async () => {
    const { sms } = recorder();
    const calls: string[] = [];
    const first = deferred();
    sms
      .on("message", async () => {
        calls.push("message 1");
        await first.promise;
        calls.push("message 1 ended");
      })
      .keyword("STOP", () => calls.push("STOP 1"))
      .on("keyword", () => calls.push("keyword"))
      .keyword(["stop", /^s/i], () => calls.push("STOP 2"))
      .on("message", () => {
        calls.push("message 2");
        first.resolve();
      });
    const { outcome } = await sms.receive(post({ message: "STOP" }));
    expect(outcome).toBe("handled");
    expect(calls).toEqual([
      "message 1",
      "STOP 1",
      "keyword",
      "keyword",
      "STOP 2",
      "STOP 2",
      "message 2",
      "message 1 ended",
    ]);
  });

  it("are awaited before sms.receive resolves", async () => {
    const { sms } = recorder();
    const { promise, resolve } = deferred();
    let ended = false;
    sms.on("message", () => promise.then(() => (ended = true)));
    const receipt = sms.receive(post());
    setImmediate(resolve);
    await receipt;
    expect(ended).toBe(true);
  });

  it("get frozen, plain data and a context", async () => {
    const { sms, messages } = recorder();
    const contexts: unknown[] = [];
    sms.on("message", (_message, { signal, attempt }) => contexts.push([signal.aborted, attempt]));
    await sms.receive(post({ message: "a b", type: "x" }));
    const message = messages[0];
    expect(contexts).toEqual([[false, 1]]);
    for (const frozen of [message, message?.parts, message?.fields]) expect(Object.isFrozen(frozen)).toBe(true);
    expect(JSON.parse(JSON.stringify(message))).toEqual(message);
    expect(structuredClone(message)).toStrictEqual(message);
  });
});

it("passes attempt 1 to handlers of all other events", async () => {
  const { sms } = recorder({ authenticate: ({ url }) => url !== "/?refused" });
  const attempts: Array<readonly [event: string, attempt: number]> = [];
  for (const event of ["invalid", "unauthorized", "duplicate", "error"] as const) {
    sms.on(event, (_payload: unknown, { attempt }: HandlerContext) => attempts.push([event, attempt]));
  }
  sms.on("message", ({ text }) => (text === "fails" ? Promise.reject(new Error("no")) : undefined));
  await sms.receive({ method: "POST", body: "" });
  const sent = post();
  for (let n = 0; n < 2; n++) await sms.receive(sent);
  await sms.receive(post({ message: "fails" }));
  await request(createServer(sms)).post("/?refused").send(callback()).expect(403);
  expect(attempts).toEqual([
    ["invalid", 1],
    ["duplicate", 1],
    ["error", 1],
    ["unauthorized", 1],
  ]);
});

describe("a handler that fails", () => {
  const notAnError = { reason: 1 };
  const thenThrows = {
    get then(): never {
      throw new Error("a getter");
    },
  };

  it.each([
    [
      "throws",
      () => {
        throw new Error("thrown");
      },
      new Error("thrown"),
    ],
    ["rejects", () => Promise.reject(new Error("rejected")), new Error("rejected")],
    [
      "throws a string",
      () => {
        throw "a string";
      },
      "a string",
    ],
    [
      "throws undefined",
      () => {
        throw undefined;
      },
      undefined,
    ],
    ["rejects with null", () => Promise.reject(null), null],
    ["rejects with an object", () => Promise.reject(notAnError), notAnError],
    [
      "returns a thenable that rejects",
      () => ({ then: (_: unknown, reject: (cause: unknown) => void) => reject("then") }),
      "then",
    ],
    ["returns an object whose then throws", () => thenThrows, new Error("a getter")],
  ])("does not stop the others, emits error and causes a 500 if it %s", async (_name, failing, cause) => {
    const { sms, messages, errors } = recorder();
    const ended: string[] = [];
    sms
      .on("message", failing)
      .on("message", async () => {
        await new Promise(setImmediate);
        ended.push("async");
      })
      .on("message", () => ended.push("sync"));
    const receipt = await sms.receive(post());
    expect(receipt).toMatchObject({ outcome: "failed", status: 500, message: messages[0] });
    expect(ended).toEqual(["sync", "async"]);
    expect(errors).toMatchObject([{ event: "message", attempt: 1, final: true }]);
    expect([errors[0]?.cause, errors[0]?.smsMessage]).toEqual([cause, messages[0]]);
  });

  it("causes no unhandled rejection, even if it rejects after its time limit", async () => {
    const unhandled = jest.fn();
    process.on("unhandledRejection", unhandled);
    const { sms, errors } = recorder({ handlerTimeoutMs: 10 });
    const { promise, reject } = deferred();
    sms.on("message", () => promise);
    expect(await sms.receive(post())).toMatchObject({ outcome: "failed", status: 500 });
    reject(new Error("late"));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect(errors).toHaveLength(1);
  });

  it("gets an aborted signal if it never settles, even if it reads the signal late", async () => {
    const { sms, errors } = recorder({ handlerTimeoutMs: 20 });
    const early = new Promise<boolean>((resolve) => {
      sms.on("message", (_message, { signal }) => {
        signal.addEventListener("abort", () => resolve(signal.aborted));
        return new Promise(() => undefined);
      });
    });
    let late: AbortSignal | undefined;
    sms.on("message", async (_message, context) => {
      await early;
      late = context.signal;
    });
    await sms.receive(post());
    expect(await early).toBe(true);
    await new Promise(setImmediate);
    expect(late?.aborted).toBe(true);
    expect(errors).toHaveLength(2);
  });

  it.each(["invalid", "duplicate", "error"] as const)(
    "is logged and does not change the answer if it is a handler of %s",
    async (event) => {
      const { sms, lines } = recorder();
      sms.on(event, () => {
        throw new TypeError("text of the error");
      });
      if (event === "error") sms.on("message", () => Promise.reject(new Error("no")));
      const body = callback();
      const statuses = [await sms.receive({ method: "POST", body }), await sms.receive({ method: "POST", body: "?" })];
      const again = await sms.receive({ method: "POST", body });
      expect(statuses.map(({ status }) => status)).toEqual([event === "error" ? 500 : 200, 400]);
      expect(again.status).toBe(event === "error" ? 500 : 200);
      expect(lines).toEqual([expect.stringContaining(`A handler of "${event}" failed: TypeError at `)]);
      expect(lines.join()).not.toContain("text of the error");
    },
  );
});

it("awaits a promise that overrides then", async () => {
  const { sms, errors } = recorder();
  const own = {
    then: (): never => {
      throw new Error("not called");
    },
  };
  sms.once("message", () => Object.assign(Promise.resolve(), own));
  sms.once("message", () => Object.assign(Promise.reject(new Error("rejected")), own));
  expect(await sms.receive(post())).toMatchObject({ outcome: "failed", status: 500 });
  expect(errors).toMatchObject([{ cause: new Error("rejected") }]);
  expect(await sms.receive(post())).toMatchObject({ outcome: "handled" });
});

describe("a thrown value", () => {
  const odd = {
    "an error whose stack is not a string": () => Object.assign(new Error("x"), { stack: [] }),
    "an error whose message cannot be read": () =>
      Object.defineProperty(new Error("x"), "message", {
        get: () => {
          throw new Error("y");
        },
      }),
    "a revoked proxy": () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
  };

  it.each(Object.entries(odd))("may be %s: the answer is 500, and the next callback is handled", async (_, make) => {
    const sms = incomingSms({ authenticate: false, logger: { warn: () => undefined, error: () => undefined } });
    sms.once("message", () => {
      throw make();
    });
    const receipts = [await sms.receive(post()), await sms.receive(post())];
    expect(receipts.map(({ status }) => status)).toEqual([500, 200]);
  });

  it("is logged without its message, its name and the names of its functions", async () => {
    const { lines, messages } = recorder();
    const logger = { warn: (line: string) => lines.push(line), error: (line: string) => lines.push(line) };
    const sms = incomingSms({ authenticate: false, logger });
    const table = {
      secret: () => {
        throw Object.assign(new Error("secret"), { name: "secret" });
      },
    };
    sms.on("message", () => table.secret());
    await sms.receive(post());
    expect(messages).toEqual([]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/failed: Error at .*handlers\.spec\.ts:\d+:\d+\./);
    expect(lines[0]).not.toContain("secret");
  });
});

describe("the log line about a handler's error", () => {
  /** The line that is logged without a handler of error. */
  const lineOf = async (cause: unknown): Promise<string> => {
    const lines: string[] = [];
    const logger = { warn: (line: string) => lines.push(line), error: (line: string) => lines.push(line) };
    const sms = incomingSms({ authenticate: false, logger }).on("message", () => {
      throw cause;
    });
    await sms.receive(post());
    return lines.join("\n");
  };
  const FAKE_CALL = "    at c4n4ry (/c4n4ry/c4n4ry.js:1:2)";
  const FAKE = `c4n4ry\n${FAKE_CALL}`;

  it.each([
    ["an error", () => new RangeError("c4n4ry"), /RangeError at .*handlers\.spec\.ts:\d+:\d+\./],
    ["one whose text contains a frame", () => new TypeError(FAKE), /TypeError at .*handlers\.spec\.ts:\d+:\d+\./],
    ["one with no text", () => withStack(new RangeError(), "RangeError"), /RangeError at \/app\/orders\.js:12:5\./],
    ["one of Node's own", () => thrownBy(() => Buffer.alloc(-1)), /RangeError at (node:|\/)\S+:\d+:\d+\./],
    ["one from JSON.parse", () => thrownBy(() => void JSON.parse("c4n4ry")), /SyntaxError at .*spec\.ts:\d+:\d+\./],
    ["one whose text was replaced", () => Object.assign(madeWith(FAKE), { message: "other" }), /failed: Error\./],
    ["one whose text was removed", () => Object.assign(madeWith(FAKE), { message: "" }), /failed: Error\./],
    [
      "one whose text was extended",
      () => Object.assign(madeWith(FAKE), { message: `${FAKE} more` }),
      /failed: Error\./,
    ],
    [
      "one whose text was cut at the start",
      () => Object.assign(madeWith(`x: ${FAKE}`), { message: FAKE }),
      /: Error\./,
    ],
    ["one whose text was cut after the first line", () => cutAfter("x", `\n${FAKE_CALL}\nmore`), /failed: Error\./],
    ["one with a constructor of its own", () => withOwn({ constructor: { name: "c4n4ry" } }), /failed: TypeError at /],
    ["one with a name of its own", () => withOwn({ name: "c4n4ry" }), /failed: TypeError at /],
    [
      "one whose prototype has another constructor",
      () =>
        Object.setPrototypeOf(new TypeError("x"), { __proto__: RangeError.prototype, constructor: "c4n4ry" }) as Error,
      /failed: RangeError at /,
    ],
    ["one of a class without a name", () => new (class extends RangeError {})("c4n4ry"), /failed: RangeError at /],
    ["one from another realm", () => runInNewContext('new TypeError("c4n4ry")') as unknown, /failed: TypeError/],
  ])("names the class and the place of %s, and nothing else", async (_case, make, pattern) => {
    const line = await lineOf(make());
    expect(line).toMatch(pattern);
    expect(line).not.toContain("c4n4ry");
  });

  it.each([
    ["ended with a frame", () => cutAfter("x", `\n${FAKE_CALL}`)],
    ["began with a frame", () => cutAfter("", `\n${FAKE_CALL}`)],
  ])("names only the class of an error whose text, since cut, %s", async (_case, make) => {
    const { stackTraceLimit } = Error;
    // The stack then reaches the limit, as in a server.
    Error.stackTraceLimit = 3;
    const line = await lineOf(make());
    Error.stackTraceLimit = stackTraceLimit;
    expect(line).toContain("failed: Error.");
  });
});

/** An error whose stack is already formatted. Some tools format it only when it is read. */
function madeWith(text: string): Error {
  const error = new Error(text);
  expect(error.stack).toContain(text);
  return error;
}

/** An error whose text was cut after its stack was formatted. */
function cutAfter(kept: string, rest: string): Error {
  return Object.assign(madeWith(kept + rest), { message: kept });
}

/** Sets a stack as V8 formats it. Under Jest, the stack of an error without a text looks different. */
function withStack(error: Error, head: string): Error {
  return Object.assign(error, { stack: `${head}\n    at new Order (<anonymous>)\n    at take (/app/orders.js:12:5)` });
}

function withOwn(properties: object): Error {
  return Object.assign(new TypeError("x"), properties);
}

function thrownBy(step: () => unknown): unknown {
  try {
    return step();
  } catch (error) {
    return error;
  }
}

describe("an unhandled rejection", () => {
  const rejects = (): Promise<never> => Promise.reject(new Error("disk full"));
  /** A promise whose own methods hide the rejection. */
  const hides = (): object => {
    const silent = (): Promise<void> => Promise.resolve();
    return Object.assign(rejects(), { then: silent, catch: silent, finally: silent, constructor: Object });
  };

  it.each([
    ["rejects", rejects],
    ["returns a rejected promise with methods of its own", hides],
  ])("does not occur if a logger, process.emitWarning or options.decrypt %s", async (_how, fail) => {
    const unhandled = jest.fn();
    process.on("unhandledRejection", unhandled);
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(fail);
    const logger = { warn: fail, error: fail };
    const sms = incomingSms({ logger }).on("message", () => Promise.reject(new Error("x")));
    await sms.receive(post());
    const encrypted = incomingSms({ logger, decrypt: fail as never, authenticate: { bearer: () => true } });
    await encrypted.receive(post());
    await request(createServer(encrypted)).post("/").send("{}").expect(401);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    process.off("unhandledRejection", unhandled);
    expect(warn).toHaveBeenCalled();
    warn.mockRestore();
    expect(unhandled).not.toHaveBeenCalled();
  });
});

it("logs a process warning if process.emitWarning throws, and answers as usual", async () => {
  const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => {
    throw new Error("replaced");
  });
  try {
    const lines: string[] = [];
    const logger = { warn: (line: string) => lines.push(line), error: (line: string) => lines.push(line) };
    const sms = incomingSms({ logger }).on("message", () => undefined);
    const fields = { id: "1", source: "919876543210", recipient: "5050" };
    expect(await sms.receive({ method: "GET", query: fields })).toMatchObject({ outcome: "handled" });
    expect(lines.map((line) => /\((\w+)\)$/.exec(line)?.[1])).toEqual([
      "KALEYRA_SMS_NO_AUTHENTICATION",
      "KALEYRA_SMS_NO_TEXT",
    ]);
  } finally {
    warn.mockRestore();
  }
});

it("answers as usual if the logger throws", async () => {
  const fail = (): never => {
    throw new Error("disk full");
  };
  const sms = incomingSms({ authenticate: false, logger: { warn: fail, error: fail } });
  sms.once("message", () => Promise.reject(new Error("x")));
  expect(await sms.receive(post())).toMatchObject({ status: 500 });
  expect(await sms.receive(post())).toMatchObject({ status: 200 });
  expect(await sms.receive({ method: "POST", body: "x" })).toMatchObject({ status: 400 });
});

describe("registering", () => {
  it("takes effect with the next callback", async () => {
    const { sms } = recorder();
    const calls: string[] = [];
    const added = (): void => void calls.push("added");
    const removed = (): void => void calls.push("removed");
    sms.once("message", () => {
      sms.on("message", added).off("message", removed);
    });
    sms.on("message", removed);
    await sms.receive(post());
    expect(calls).toEqual(["removed"]);
    await sms.receive(post());
    expect(calls).toEqual(["removed", "added"]);
  });

  it("with once ends after the first event, even if two arrive together", async () => {
    const { sms } = recorder();
    const handler = jest.fn();
    const keyword = jest.fn();
    sms
      .once("message", handler)
      .once("keyword", keyword)
      .keyword(["A", /A/], () => undefined);
    await Promise.all([sms.receive(post({ message: "A" })), sms.receive(post({ message: "A", source: "5" }))]);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(keyword).toHaveBeenCalledTimes(1);
  });

  it("with once calls the handler once, even if an earlier handler receives another message", async () => {
    const { sms } = recorder();
    const [once, last] = [jest.fn(), jest.fn()];
    sms
      .on("message", ({ text }) => void (text === "outer" && sms.receive(post({ message: "inner", source: "5" }))))
      .once("message", once)
      .on("message", last);
    await sms.receive(post({ message: "outer" }));
    await sms.receive(post({ message: "after" }));
    expect(once.mock.calls).toMatchObject([[{ text: "inner" }, {}]]);
    expect(last).toHaveBeenCalledTimes(3);
  });

  it("twice calls the handler twice, and off removes one registration and no other handler", async () => {
    const { sms } = recorder();
    const handler = jest.fn();
    const others = [jest.fn(), jest.fn()];
    for (const one of [handler, handler, ...others]) sms.on("message", one);
    sms.off("message", handler);
    await sms.receive(post());
    for (const one of [handler, ...others]) expect(one).toHaveBeenCalledTimes(1);
    sms
      .off("message", handler)
      .off("message", handler)
      .off("message", () => undefined);
    await sms.receive(post());
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("throws a TypeError if the event does not exist, or the handler is not a function", () => {
    const sms = incomingSms({ authenticate: false });
    for (const name of ["mesage", "toString", "__proto__", "constructor"]) {
      expect(() => sms.on(name as SmsEvent, () => undefined)).toThrow(/does not exist: use one of message, keyword/);
      expect(() => sms.off(name as SmsEvent, () => undefined)).toThrow(/does not exist: use one of message, keyword/);
    }
    expect(() => sms.once("message", undefined as never)).toThrow(/handler of "message" must be a function/);
    expect(() => sms.keyword("STOP", "x" as never)).toThrow(TypeError);
    expect(() => sms.on(Symbol("x") as never, () => undefined)).toThrow("does not exist");
    expect(() => sms.off("mesage" as never, "STOP", () => undefined)).toThrow('The event "mesage" does not exist');
    expect(() => sms.off("message" as never, "STOP", () => undefined)).toThrow('A pattern goes with "keyword"');
  });
});

describe("sms.receive", () => {
  it("reads text, bytes, an object, a form and a query, and resolves with the receipt", async () => {
    const { sms, messages } = recorder({ ack: { body: "ok" } });
    const fields = { id: "1", source: "919876543210", recipient: "5050", message: "hello" };
    const text = JSON.stringify(fields);
    const form = new URLSearchParams({ ...fields, id: "4" }).toString();
    const receipts = [
      await sms.receive({ method: "POST", body: text }),
      await sms.receive({ method: "POST", body: Buffer.from(text.replace('"1"', '"2"')) }),
      await sms.receive({ method: "POST", body: { ...fields, id: "3" } }),
      await sms.receive({ method: "POST", body: form, contentType: "application/x-www-form-urlencoded" }),
      await sms.receive({ method: "GET", query: `?${form}5` }),
      await sms.receive({ method: "GET", query: { ...fields, id: "6" } }),
    ];
    expect(messages.map(({ id, text: typed }) => [id, typed])).toEqual(
      ["1", "2", "3", "4", "45", "6"]
        .map((id) => [id, id === "45" ? "hello5" : "hello"])
        .map(([id, typed], index) => (index === 4 ? ["4", "hello5"] : [id, typed])),
    );
    expect(receipts[0]).toEqual({
      outcome: "handled",
      status: 200,
      headers: { "Cache-Control": "no-store", "Content-Type": "text/plain; charset=utf-8", "Content-Length": "2" },
      body: "ok",
      message: messages[0],
    });
  });

  it.each(["PUT", "post", "HEAD", "", undefined])("rejects the method %j with a TypeError", async (method) => {
    const { sms, messages, invalid } = recorder();
    const body = callback();
    const contents = [{ body }, { body: JSON.stringify(body) }, { query: body }, { query: "id=1&source=1&to=2" }];
    for (const content of contents) {
      await expect(sms.receive({ method, ...content } as never)).rejects.toThrow(TypeError);
    }
    expect([messages, invalid]).toEqual([[], []]);
  });

  it("rejects only if the argument does not have the form of a callback", async () => {
    const { sms, invalid } = recorder();
    for (const wrong of [
      undefined,
      {},
      { method: "PUT", body: "" },
      { method: "GET", query: ["id"] },
      { method: "POST" },
    ]) {
      await expect(sms.receive(wrong as never)).rejects.toThrow(TypeError);
    }
    expect(await sms.receive({ method: "POST", body: [] })).toMatchObject({
      outcome: "invalid",
      problem: { code: "malformed-body" },
    });
    expect(invalid).toHaveLength(1);
  });
});
