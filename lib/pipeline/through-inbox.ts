// The way of a message through the inbox: kept, answered, taken out, handled.

import { AsyncLocalStorage } from "node:async_hooks";

import type { SmsMessage } from "../callback/message.js";
import type { Dispatcher } from "../handlers/dispatcher.js";
import type { Registry } from "../handlers/registry.js";
import type { Inbox } from "../inbox/inbox.js";
import { createKeep, type Keep } from "./store.js";
import { createWork } from "./work.js";
import type { TimeLimit } from "../base/time-limit.js";

interface Rooms {
  readonly registry: Registry;
  readonly dispatcher: Dispatcher;
  /** Of handlers. */
  readonly handling: TimeLimit;
  /** Of the inbox, to store a message. */
  readonly storing: TimeLimit;
}

export interface Durable {
  readonly keep: Keep;
  /** Takes nothing out any more, and waits for what was taken out. Does not reject. */
  close(): Promise<void>;
}

/** An inbox hands a message out once: to the handlers of one router, whichever copy of this package it is of. */
const IN_USE = Symbol.for("express-kaleyra-sms: inboxes in use");
const shared = globalThis as unknown as Record<symbol, WeakSet<Inbox> | undefined>;
const inUse = (shared[IN_USE] ??= new WeakSet());

/** @throws TypeError where the inbox is another router's */
export function createDurable(
  inbox: Inbox,
  concurrency: number,
  { registry, dispatcher, handling, storing }: Rooms,
): Durable {
  if (inUse.has(inbox)) throw new TypeError("options.inbox is in use by another router: make one for each.");
  inUse.add(inbox);

  /**
   * The asynchronous context in which the router was made. An inbox hands messages out in that of whatever woke it: of another request, whose
   * store (of another tenant) no handler may see.
   */
  const inOwnContext = AsyncLocalStorage.snapshot();
  const tell = async (cause: unknown, message?: SmsMessage, attempt = 1): Promise<void> => {
    const final = message !== undefined;
    await dispatcher.announce("error", Object.freeze({ event: "inbox", message, cause, attempt, final }));
  };
  let isClosed = false;
  let beginClosing = (): void => undefined;
  const closing = new Promise<void>((resolve) => (beginClosing = resolve));
  const work = createWork({
    concurrency,
    limit: handling,
    dispatch: (message, attempt) => inOwnContext(() => dispatcher.handle(message, attempt)),
    whenHeard: () => registry.whenHeard(),
    failed: (cause, message, attempt) => void inOwnContext(tell, cause, message, attempt),
    closing,
  });
  const start = async (): Promise<void> => {
    await registry.whenHeard();
    if (!isClosed) await inbox.start(work);
  };
  if (concurrency > 0) start().catch(tell);

  return {
    keep: createKeep(inbox, storing, tell),
    close: () => {
      isClosed = true;
      beginClosing();
      // In a promise of its own: an inbox of the user's may throw.
      return Promise.resolve()
        .then(() => inbox.close())
        .catch(tell);
    },
  };
}
