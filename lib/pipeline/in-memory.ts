// The delivery of a message without an inbox: handled once, and before its callback is answered.
// Messages of one source are handled one after the other.

import type { Log } from "../base/log.js";
import { then } from "../base/maybe-promise.js";
import type { TimeLimit } from "../base/time-limit.js";
import type { Dispatcher } from "../handlers/dispatcher.js";
import type { Handling } from "../handlers/handling.js";
import { HandledKeys } from "./once/handled-keys.js";
import { Nesting } from "./once/nesting.js";
import { Once, type DuplicateSlots } from "./once/once.js";
import type { Delivery } from "./receive.js";

interface Deps {
  readonly dispatcher: Dispatcher;
  /** The time limit of handlers. */
  readonly limit: TimeLimit;
  readonly log: Log;
  readonly duplicates: DuplicateSlots;
}

interface InMemorySettings {
  /** `false`: duplicates are handled again. */
  readonly deduplicate: false | { readonly windowMs: number; readonly max: number };
  readonly maxInFlight: number;
}

export function createInMemory(
  { deduplicate, maxInFlight }: InMemorySettings,
  { dispatcher, limit, log, duplicates }: Deps,
): Delivery {
  const handledKeys = deduplicate ? new HandledKeys(deduplicate.windowMs, deduplicate.max) : undefined;
  const once = new Once({ handledKeys, limit, maxInFlight, duplicates });
  const nesting = new Nesting();
  const warnIfUnhandled = (handling: Handling): Handling => {
    if (handling.hadNoHandler === true) log.advise("KALEYRA_SMS_NO_HANDLER");
    return handling;
  };
  return {
    handleOrStore: (message) => {
      const { source } = message;
      // `nesting` misses handlers that were called before the first `sms.receive`. `once` sees them until they return.
      const isNested = nesting.isWithin(source) || once.isCalling(source);
      if (isNested && !once.isHandled(message)) log.advise("KALEYRA_SMS_WAITS_FOR_ITSELF");
      return once.handle(message, () =>
        nesting.handle(source, () => then(dispatcher.handle(message), warnIfUnhandled)),
      );
    },
    receive: (receive) => nesting.receive(receive),
    drain: () => Promise.resolve(),
    end: () => {
      once.close();
      return Promise.resolve();
    },
  };
}
