// The process warning KALEYRA_SMS_WAITS_FOR_ITSELF: a handler receives a message that must wait for the same handler.

import { createServer } from "node:http";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import request from "supertest";
import type { incomingSms, IncomingSms, IncomingSmsOptions, SmsMessage } from "express-kaleyra-sms";

import { callback, post } from "../support/callbacks";
import { deferred } from "../support/recorder";

afterEach(() => {
  jest.restoreAllMocks();
});

const A = "+911111111111";
const B = "+912222222222";
const SILENT = { warn: () => undefined, error: () => undefined };
const nextTurn = () => new Promise(setImmediate);

/** The action of a handler for each text; for any other text, the handler does nothing. */
type Actions = Record<string, (message: SmsMessage, sms: IncomingSms) => unknown>;

/**
 * Runs a case in a fresh copy of the package, in which nothing has called `sms.receive` yet.
 *
 * @returns the codes of the process warnings that the case causes
 */
async function inFreshCopy(
  run: (router: (actions: Actions, options?: IncomingSmsOptions) => IncomingSms) => Promise<unknown>,
): Promise<unknown[]> {
  const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  await jest.isolateModulesAsync(async () => {
    const copy = jest.requireActual<{ incomingSms: typeof incomingSms }>("express-kaleyra-sms");
    const routers: IncomingSms[] = [];
    await run((actions, options = {}) => {
      const sms: IncomingSms = copy
        .incomingSms({ authenticate: false, handlerTimeoutMs: 200, logger: SILENT, ...options })
        .on("message", (message) => actions[message.text ?? ""]?.(message, sms))
        .on("error", () => undefined);
      routers.push(sms);
      return sms;
    });
    for (const sms of routers) await sms.close();
  });
  return warn.mock.calls.map(([, options]) => (options as { code?: unknown }).code);
}

const sendOverHttp = async (sms: IncomingSms, fields: Record<string, unknown>): Promise<void> => {
  await request(createServer(sms)).post("/").send(callback(fields));
};

type Case = readonly [title: string, run: Parameters<typeof inFreshCopy>[0]];

const REPORTED: readonly Case[] = [
  [
    "of the same source, synchronously",
    (router) =>
      router({ outer: (_, sms) => sms.receive(post({ source: A })) }).receive(post({ source: A, message: "outer" })),
  ],
  [
    "of the same source, after an await",
    (router) =>
      router({
        outer: async (_, sms) => {
          await nextTurn();
          await sms.receive(post({ source: A }));
        },
      }).receive(post({ source: A, message: "outer" })),
  ],
  [
    "of the same source, synchronously, in the first call of sms.receive",
    (router) =>
      sendOverHttp(router({ outer: (_, sms) => sms.receive(post({ source: A })) }), { source: A, message: "outer" }),
  ],
  [
    "of the same source, with deduplicate: false",
    (router) =>
      router({ outer: (_, sms) => sms.receive(post({ source: A })) }, { deduplicate: false }).receive(
        post({ source: A, message: "outer" }),
      ),
  ],
  [
    "that is the one being handled",
    (router) => {
      const sent = post({ source: A, message: "outer" });
      return router({ outer: (_, sms) => sms.receive(sent) }).receive(sent);
    },
  ],
  [
    "of the same source, through a message of another source",
    (router) =>
      router({
        outer: async (_, sms) => {
          await nextTurn();
          await sms.receive(post({ source: B, message: "between" }));
        },
        between: async (_, sms) => {
          await nextTurn();
          await sms.receive(post({ source: A }));
        },
      }).receive(post({ source: A, message: "outer" })),
  ],
  [
    "of the same source, through another router",
    (router) => {
      const other = router({ between: () => first.receive(post({ source: A })) });
      const first = router({ outer: () => other.receive(post({ source: A, message: "between" })) });
      return first.receive(post({ source: A, message: "outer" }));
    },
  ],
  [
    "of the same source, in a handler of error",
    (router) => {
      const sms = router({ outer: () => Promise.reject(new Error("no")) });
      sms.once("error", () => sms.receive(post({ source: A })));
      return sms.receive(post({ source: A, message: "outer" }));
    },
  ],
];

const NOT_REPORTED: readonly Case[] = [
  [
    "of another source in a handler",
    (router) =>
      router({ outer: (_, sms) => sms.receive(post({ source: B })) }).receive(post({ source: A, message: "outer" })),
  ],
  [
    "of the same source in a handler of another router",
    (router) => {
      const other = router({});
      return router({ outer: () => other.receive(post({ source: A })) }).receive(post({ source: A, message: "outer" }));
    },
  ],
  [
    "in a handler, and is a duplicate of a handled message",
    async (router) => {
      const handled = post({ source: A });
      const sms = router({ outer: () => sms.receive(handled) });
      await sms.receive(handled);
      await sms.receive(post({ source: A, message: "outer" }));
    },
  ],
  [
    "outside of handlers, while a received message of the same source is being handled",
    (router) => {
      const sms = router({ outer: nextTurn });
      return Promise.all([
        sms.receive(post({ source: A, message: "outer" })),
        sms.receive(post({ source: A, message: "outer" })),
      ]);
    },
  ],
  [
    "outside of handlers, in the first call of sms.receive, while an HTTP callback of the same source is being handled",
    async (router) => {
      const [started, ended] = [deferred(), deferred()];
      const sms = router({
        outer: () => {
          started.resolve();
          return ended.promise;
        },
      });
      const answered = sendOverHttp(sms, { source: A, message: "outer" });
      await started.promise;
      const received = sms.receive(post({ source: A }));
      ended.resolve();
      await Promise.all([answered, received]);
    },
  ],
  [
    "in a timer of a handler that has ended, while another message of the same source is being handled",
    async (router) => {
      const [fired, ended] = [deferred(), deferred()];
      const sms = router({
        outer: () => void setImmediate(() => void sms.receive(post({ source: A })).finally(fired.resolve)),
        other: () => ended.promise,
      });
      await sms.receive(post({ source: A, message: "outer" }));
      const other = sms.receive(post({ source: A, message: "other" }));
      await nextTurn();
      ended.resolve();
      await Promise.all([other, fired.promise]);
    },
  ],
];

describe("KALEYRA_SMS_WAITS_FOR_ITSELF", () => {
  it.each(REPORTED)("is emitted if a handler waits for a message %s", async (_, run) => {
    expect(await inFreshCopy(run)).toEqual(["KALEYRA_SMS_WAITS_FOR_ITSELF"]);
  });

  it.each(NOT_REPORTED)("is not emitted for a message that is received %s", async (_, run) => {
    expect(await inFreshCopy(run)).toEqual([]);
  });
});
