// The delivery of a message with an inbox: stored, acknowledged, taken out, handled.

import { AsyncLocalStorage } from "node:async_hooks";

import { codeOf, invalidOption } from "../base/errors.js";
import { isLookedAtOnly } from "../base/looked-at-only.js";
import { TimeLimit } from "../base/time-limit.js";
import type { SmsMessage } from "../callback/message.js";
import type { Dispatcher } from "../handlers/dispatcher.js";
import { SmsError } from "../handlers/sms-error.js";
import type { Registry } from "../handlers/registry.js";
import type { Inbox } from "../inbox/inbox.js";
import type { Reach } from "../inbox/reach.js";
import type { Observers } from "./observer.js";
import type { Delivery } from "./receive.js";
import { createStore } from "./store.js";
import { createWork } from "./work.js";

interface Deps {
  readonly registry: Registry;
  readonly dispatcher: Dispatcher;
  /** The time limit of handlers. */
  readonly limit: TimeLimit;
  readonly reach: Reach;
  readonly observers: Observers;
  readonly isClosing: () => boolean;
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
  { registry, dispatcher, limit, reach, observers, isClosing }: Deps,
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
  const failed = (cause: unknown, message?: SmsMessage, attempt?: number): void => {
    const code = codeOf(cause);
    const isHandlingFailed = code === "KALEYRA_SMS_HANDLING_FAILED";
    // One message of which nothing is known says nothing of the others.
    if (code === "KALEYRA_SMS_UNREADABLE" || code === "KALEYRA_SMS_FOREIGN_JOB")
      observers.ofEvents?.deadLetter?.("unreadable");
    else if (message !== undefined) observers.ofEvents?.deadLetter?.(isHandlingFailed ? "attempts" : "cut-short");
    else if (!isHandlingFailed) {
      reach.taken(false);
      observers.ofEvents?.inboxFailed?.("take");
    }
    void inOwnContext(report, cause, message, attempt);
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
    failed,
    unwritten: (cause) => {
      reach.taken(false);
      observers.ofEvents?.inboxFailed?.("end");
      void inOwnContext(report, cause);
    },
    taken: () => reach.taken(true),
    becameDead: () => observers.ofEvents?.deadLetter?.("attempts"),
    closing,
    isClosing,
  });
  const start = async (): Promise<void> => {
    await registry.whenListening();
    if (!isClosed) await inbox.start(work);
  };
  if (!isLookedAtOnly()) {
    reach.start((cause) => void inOwnContext(report, cause));
    if (concurrency > 0) start().catch(failed);
  }

  let closed: Promise<void> | undefined;
  const closeInbox = (): Promise<void> => {
    isClosed = true;
    reach.stop();
    beginClosing();
    // Within a promise: the `close` of a user's own inbox may throw.
    closed ??= Promise.resolve()
      .then(() => inbox.close())
      .catch(report);
    return closed;
  };
  return {
    handleOrStore: createStore({ inbox, reach, limit: storing, observers, report }),
    receive: (receive) => receive(),
    drain: closeInbox,
    end: async () => {
      storing.expire();
      await new TimeLimit(storeTimeoutMs).wait(closeInbox());
    },
  };
}
