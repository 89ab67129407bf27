// The metrics of callbacks, from their arrival to their answer.

import type { UnauthorizedCode } from "../access/unauthorized.js";
import type { Receipt } from "../answer/receipt.js";
import type { InvalidCode } from "../callback/invalid.js";
import type { SmsMessage } from "../callback/message.js";
import type { BusyCallback } from "../handlers/events.js";
import type { ObservedAnswer, Observer } from "../pipeline/observer.js";
import type { Families, Values } from "./families.js";

const METHODS: Values<SmsMessage["method"]> = { GET: true, POST: true };
const OUTCOMES: Values<Receipt["outcome"]> = {
  handled: true,
  stored: true,
  duplicate: true,
  invalid: true,
  failed: true,
  busy: true,
};
const INVALID_CODES: Values<InvalidCode> = {
  "malformed-body": true,
  "ambiguous-body": true,
  "body-incomplete": true,
  "body-too-large": true,
  "unsupported-media-type": true,
  schema: true,
  "duplicate-field": true,
  "unknown-field": true,
  undecryptable: true,
};
const UNAUTHORIZED_CODES: Values<UnauthorizedCode> = {
  missing: true,
  wrong: true,
  repeated: true,
  address: true,
  "no-address": true,
  refused: true,
  threw: true,
  timeout: true,
};
const BUSY_REASONS: Values<BusyCallback["reason"]> = { capacity: true, source: true, closing: true };

/**
 * In seconds. With an inbox, an answer takes milliseconds; without one as long as the handlers, whose default limit is
 * 10 s, as that of a body. Steps of 2 to 2.5: a quantile is off by no more.
 */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function callbackMetrics(families: Families): Pick<Observer, "callback" | "announced"> {
  const answered = families.counter("callbacks_total", "Callbacks that were answered, by their outcome.", {
    method: METHODS,
    outcome: OUTCOMES,
  });
  const invalid = families.counter("invalid_total", "Invalid callbacks, by what was wrong with them.", {
    code: INVALID_CODES,
  });
  const unauthorized = families.counter("unauthorized_total", "Callers that were not authorized, by the reason.", {
    code: UNAUTHORIZED_CODES,
  });
  const busy = families.counter(
    "busy_total",
    "Callbacks that were answered 503 without being handled, by the reason.",
    {
      reason: BUSY_REASONS,
    },
  );
  const repaired = families.counter(
    "repaired_total",
    "Valid callbacks whose body was not valid JSON, and was read by the template.",
    {},
  );
  const damaged = families.counter(
    "damaged_total",
    "Valid callbacks with bytes in the text that are not valid in its charset.",
    {},
  );
  const startTimer = families.histogram(
    "callback_duration_seconds",
    "Seconds from the arrival of a callback to its answer, without callers that were not authorized.",
    { method: METHODS, outcome: OUTCOMES },
    BUCKETS,
  );
  let inFlight = 0;
  families.gauge("in_flight", "Callbacks that are not answered yet.", { aggregator: "sum" }, (gauge) =>
    gauge.set({}, inFlight),
  );
  /** How many callbacks have arrived, and which of them was the last valid one. */
  let arrived = 0;
  let lastValid: { readonly arrival: number; readonly at: string } | undefined;
  families.gauge(
    "last_callback_timestamp_seconds",
    "When the last valid callback arrived, in seconds since 1970. Absent before the first one.",
    { aggregator: "max" },
    (gauge) => {
      if (lastValid === undefined) gauge.remove({});
      else gauge.set({}, Date.parse(lastValid.at) / 1_000);
    },
  );

  const countMessage = (message: SmsMessage, arrival: number): void => {
    if (message.repaired) repaired({});
    if (message.damaged) damaged({});
    // One whose handlers are slow may be answered after one that came later.
    if (lastValid === undefined || arrival > lastValid.arrival) lastValid = { arrival, at: message.receivedAt };
  };
  const count = (
    method: SmsMessage["method"],
    arrival: number,
    { outcome, message, problem, unauthorized: rejected }: ObservedAnswer,
    endTimer: ReturnType<typeof startTimer>,
  ): void => {
    if (rejected !== undefined) unauthorized({ code: rejected.code });
    if (outcome === undefined) return;
    answered({ method, outcome });
    endTimer({ method, outcome });
    if (problem !== undefined) invalid({ code: problem.code });
    if (message !== undefined) countMessage(message, arrival);
  };
  return {
    callback: (method) => {
      const endTimer = startTimer();
      const arrival = ++arrived;
      inFlight++;
      return {
        ended: (answer) => {
          inFlight--;
          count(method, arrival, answer, endTimer);
        },
      };
    },
    announced: (event, payload) => {
      if (event === "busy") busy({ reason: payload.reason });
    },
  };
}
