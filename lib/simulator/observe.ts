// Turns what is observed of the router into events of the feed.

import { now } from "../base/clock.js";
import { isRecord } from "../base/record.js";
import { nameOf } from "../base/thrown.js";
import type { InvalidCallback } from "../callback/invalid.js";
import type { SmsMessage } from "../callback/message.js";
import { SmsError } from "../handlers/sms-error.js";
import type { ObservedAnswer, Observer } from "../pipeline/observer.js";
import type { ComposedRequest } from "./compose.js";
import type { Feed } from "./feed.js";
import { placesOf } from "./place.js";
import type { Answered, CallbackEvent, HandlerEvent } from "./wire.js";

export function createObserver(feed: Pick<Feed, "push">, closing: () => void): Observer {
  return {
    closing,
    callback: (method) => {
      const durationMs = stopwatch();
      return { ended: (answer) => feed.push("callback", callbackEvent(method, answer, durationMs())) };
    },
    handler: ({ event, payload, attempt, final }) => {
      const message = messageOf(payload);
      if (message === undefined) return undefined;
      const durationMs = stopwatch();
      return {
        ended: ({ result, cause }) => {
          const error = result === "error" ? { error: described(cause) } : {};
          const { key } = message;
          feed.push("handler", {
            key,
            event,
            ...matchOf(payload),
            result,
            ...error,
            durationMs: durationMs(),
            attempt,
            final,
          });
        },
      };
    },
    announced: (_event, payload) => {
      // The failure of a handler is an event of that handler.
      if (payload instanceof SmsError && payload.event === "inbox")
        feed.push("failure", { at: now(), message: `${payload.message} ${described(payload.cause)}` });
    },
  };
}

export function stopwatch(): () => number {
  const start = performance.now();
  return () => Math.round((performance.now() - start) * 100) / 100;
}

function callbackEvent(
  method: "GET" | "POST",
  { status, body, outcome, message, problem, unauthorized }: ObservedAnswer,
  durationMs: number,
): CallbackEvent {
  const detail = unauthorized?.reason ?? problem?.detail ?? detailOf(body);
  return {
    at: now(),
    method,
    outcome: outcome ?? (unauthorized === undefined ? "answered" : "unauthorized"),
    status,
    body,
    durationMs,
    ...(detail === undefined ? {} : { detail }),
    ...(message === undefined ? {} : { message: shownMessage(message) }),
    ...(problem === undefined ? {} : { problem: shownProblem(problem) }),
  };
}

/** What is known of a callback to a router in another process: what was sent, and the answer. */
export function answerEvent(
  { method, text }: Pick<ComposedRequest, "method" | "text">,
  answered: Answered,
): CallbackEvent {
  if ("status" in answered)
    return { ...callbackEvent(method, { ...answered, headers: {} }, answered.durationMs), sent: text };
  const { failed: detail, durationMs } = answered;
  return { at: now(), method, outcome: "no answer", body: "", durationMs, detail, sent: text };
}

/** The `detail` of a problem (RFC 9457). */
function detailOf(body: string): string | undefined {
  if (!body.startsWith("{")) return undefined;
  try {
    const problem: unknown = JSON.parse(body);
    return isRecord(problem) && typeof problem.detail === "string" ? problem.detail : undefined;
  } catch {
    return undefined;
  }
}

function shownMessage(message: SmsMessage): NonNullable<CallbackEvent["message"]> {
  const { key, source, recipient, text, parts, keyword, repaired, damaged, fields } = message;
  // A GET callback may have the words only.
  const read = { text: text ?? parts.join(" "), hasWordsOnly: text === undefined, repaired, damaged };
  const shown = { key, source, recipient, ...read, fields };
  return keyword === undefined ? shown : { ...shown, keyword };
}

function shownProblem(problem: InvalidCallback): NonNullable<CallbackEvent["problem"]> {
  const { code, issues } = problem;
  const raw = typeof problem.raw === "string" ? problem.raw : Buffer.from(problem.raw).toString("utf8");
  return {
    code,
    issues: issues.map(({ field, message }) => ({ field, message })),
    raw,
    places: placesOf(raw, problem),
  };
}

type Payload = Parameters<Observer["handler"]>[0]["payload"];

/** The message that a handler of `message`, `keyword` or `unmatched` gets. */
function messageOf(payload: Payload): SmsMessage | undefined {
  if (payload === undefined) return undefined;
  if ("captures" in payload) return payload.message;
  return "parts" in payload ? payload : undefined;
}

function matchOf(payload: Payload): Pick<HandlerEvent, "keyword" | "by"> {
  if (payload === undefined || !("captures" in payload)) return {};
  return { keyword: payload.keyword, by: payload.by };
}

/** For the developer alone, so with the error's own text. Anything can be thrown: also what throws when it is read. */
function described(cause: unknown): string {
  try {
    if (isRecord(cause) && typeof cause.message === "string") return `${nameOf(cause)}: ${cause.message}`;
  } catch {
    // Its name is all there is.
  }
  return nameOf(cause);
}
