// The delivery of a message with an inbox: stored, acknowledged, taken out, handled.

import { AsyncLocalStorage } from "node:async_hooks";

import { invalidOption } from "../base/errors.js";
import { isLookedAtOnly } from "../base/looked-at-only.js";
import { TimeLimit } from "../base/time-limit.js";
import type { SmsMessage } from "../callback/message.js";
import type { Dispatcher } from "../handlers/dispatcher.js";
import { SmsError } from "../handlers/sms-error.js";
import type { Registry } from "../handlers/registry.js";
import type { Inbox } from "../inbox/inbox.js";
import type { Delivery } from "./receive.js";
import { createStore } from "./store.js";
import { createWork } from "./work.js";

interface Deps {
  readonly registry: Registry;
  readonly dispatcher: Dispatcher;
  /** The time limit of handlers. */
  readonly limit: TimeLimit;
}

interface InboxSettings {
  readonly concurrency: number;
  readonly storeTimeoutMs: number;
}

/**
 * The inboxes that have a router: an inbox hands each message out once, so it can serve one router only.
 * Shared by all copies of this package in the process.
 */
const IN_USE = Symbol.for("express-kaleyra-sms: inboxes in use");
const shared = globalThis as unknown as Record<symbol, WeakSet<Inbox> | undefined>;
const inUse = (shared[IN_USE] ??= new WeakSet());

/** @throws TypeError if another router uses the inbox */
export function createThroughInbox(
  inbox: Inbox,
  { concurrency, storeTimeoutMs }: InboxSettings,
  { registry, dispatcher, limit }: Deps,
): Delivery {
  if (inUse.has(inbox)) throw invalidOption("options.inbox is in use by another router: make one for each.");
  inUse.add(inbox);

  /**
   * Runs a function in the asynchronous context in which the router was made. An inbox hands messages out in the
   * context that woke it, perhaps that of another request: no handler may see another tenant's `AsyncLocalStorage`.
   */
  const inOwnContext = AsyncLocalStorage.snapshot();
  const report = async (cause: unknown, message?: SmsMessage, attempt = 1): Promise<void> => {
    const final = message !== undefined;
    await dispatcher.announce("error", new SmsError({ event: "inbox", cause, smsMessage: message, attempt, final }));
  };
  const storing = new TimeLimit(storeTimeoutMs);
  let isClosed = false;
  let beginClosing = (): void => undefined;
  const closing = new Promise<void>((resolve) => (beginClosing = resolve));
  const work = createWork({
    concurrency,
    limit,
    dispatch: (message, attempt) => inOwnContext(() => dispatcher.handle(message, attempt)),
    whenListening: () => registry.whenListening(),
    failed: (cause, message, attempt) => void inOwnContext(report, cause, message, attempt),
    closing,
  });
  const start = async (): Promise<void> => {
    await registry.whenListening();
    if (!isClosed) await inbox.start(work);
  };
  if (concurrency > 0 && !isLookedAtOnly()) start().catch(report);

  return {
    handleOrStore: createStore(inbox, storing, report),
    receive: (receive) => receive(),
    drain: () => {
      isClosed = true;
      beginClosing();
      // Within a promise: the `close` of a user's own inbox may throw.
      return Promise.resolve()
        .then(() => inbox.close())
        .catch(report);
    },
    end: async (drained) => {
      storing.expire();
      await new TimeLimit(storeTimeoutMs).wait(drained);
    },
  };
}
