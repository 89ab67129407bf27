// The metrics of handlers, and of the keywords that they get.

import type { SmsEvent } from "../handlers/events.js";
import type { HandlerResult, ObservedCall } from "../handlers/observer.js";
import type { KeywordMatch } from "../keywords/keyword-match.js";
import type { Observer } from "../pipeline/observer.js";
import type { Families, Values } from "./families.js";

const EVENTS: Values<SmsEvent> = {
  message: true,
  keyword: true,
  unmatched: true,
  invalid: true,
  unauthorized: true,
  duplicate: true,
  busy: true,
  error: true,
};
const RESULTS: Values<HandlerResult["result"]> = { ok: true, error: true, timeout: true };
const FINAL: Values<`${boolean}`> = { true: true, false: true };
const PLACES: Values<KeywordMatch["by"]> = { text: true, rest: true, field: true };

/** In seconds. The default time limit is 10 s; with an inbox it may well be longer. Steps as of callbacks. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function handlerMetrics(families: Families): Pick<Observer, "handler"> {
  const startTimer = families.histogram(
    "handler_duration_seconds",
    "Seconds that a handler took, up to its time limit. result: ok, error or timeout.",
    { event: EVENTS, result: RESULTS },
    BUCKETS,
  );
  const failed = families.counter(
    "handler_failures_total",
    "Handlers that threw, rejected or exceeded their time limit. final: whether it was the last attempt.",
    { event: EVENTS, final: FINAL },
  );
  const matched = families.counter(
    "keyword_matches_total",
    "Matched keywords, by where they were found. Retries do not count.",
    { by: PLACES },
  );
  /** Several handlers of one match get the same object. */
  const counted = new WeakSet<KeywordMatch>();
  const countMatch = ({ payload, attempt }: ObservedCall): void => {
    if (payload === undefined || !("captures" in payload) || attempt > 1 || counted.has(payload)) return;
    counted.add(payload);
    matched({ by: payload.by });
  };
  return {
    handler: (call) => {
      const { event, final } = call;
      countMatch(call);
      const endTimer = startTimer();
      let isEnded = false;
      return {
        ended: ({ result }) => {
          // A handler past its time limit may end after all.
          if (isEnded) return;
          isEnded = true;
          endTimer({ event, result });
          if (result !== "ok") failed({ event, final: final ? "true" : "false" });
        },
      };
    },
  };
}
