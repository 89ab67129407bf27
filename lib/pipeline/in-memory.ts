// The way of a message without an inbox: handled before its callback is answered, once, and those of one source in turn.

import type { Log } from "../base/log.js";
import type { TimeLimit } from "../base/time-limit.js";
import type { Dispatcher } from "../handlers/dispatcher.js";
import { HandledKeys } from "./once/handled-keys.js";
import { Nesting } from "./once/nesting.js";
import { Once } from "./once/once.js";
import type { Way } from "./receive.js";

interface Deps {
  readonly dispatcher: Dispatcher;
  /** Of handlers. */
  readonly limit: TimeLimit;
  readonly log: Log;
}

interface InMemorySettings {
  /** `false`: duplicates are handled again. */
  readonly deduplicate: false | { readonly windowMs: number; readonly max: number };
  readonly maxInFlight: number;
}

export function createInMemory({ deduplicate, maxInFlight }: InMemorySettings, { dispatcher, limit, log }: Deps): Way {
  const handledKeys = deduplicate ? new HandledKeys(deduplicate.windowMs, deduplicate.max) : undefined;
  const once = new Once(handledKeys, limit, maxInFlight);
  const nesting = new Nesting();
  return {
    handleOrStore: (message) => {
      const { source } = message;
      // Handlers that were called before there was nesting to be seen, and have not returned, are seen by their turn.
      const isNested = nesting.isWithin(source) || once.isCalling(source);
      if (isNested && !once.isHandled(message)) log.advise("KALEYRA_SMS_WAITS_FOR_ITSELF");
      return once.handle(message, () => nesting.handle(source, () => dispatcher.handle(message)));
    },
    receive: (receive) => nesting.receive(receive),
    drain: () => Promise.resolve(),
    end: () => {
      once.close();
      return Promise.resolve();
    },
  };
}
