// The (req, res, next) function: takes a request apart, hands what it carries on, and answers. Knows nothing of messages.

import type { ServerResponse } from "node:http";

import type { Answer, Answers } from "../answer/receipt.js";
import type { Capacity } from "../capacity.js";
import { nameOf, type Log } from "../log.js";
import type { Receive } from "../receive.js";
import { readBody, type BodyLimits } from "./body.js";
import type { IncomingRequest, Listener } from "./requests.js";
import { send } from "./send.js";
import { isFor, targetOf } from "./target.js";

export type Method = "GET" | "POST";

interface ListenerRooms extends BodyLimits {
  /** Without a slash at its end. */
  readonly path: string;
  readonly methods: readonly Method[];
  readonly capacity: Capacity;
  readonly receive: Receive;
  readonly answers: Answers;
  readonly log: Log;
}

export function createListener(rooms: ListenerRooms): Listener {
  const { path, methods, capacity, receive, answers, log } = rooms;
  const allow = [
    ...(methods.includes("GET") ? ["GET", "HEAD"] : []),
    ...(methods.includes("POST") ? ["POST"] : []),
    "OPTIONS",
  ].join(", ");
  const notFound = answers.problem({ status: 404, code: "not-found", detail: "There is nothing at this path." });
  const notAllowed = answers.problem(
    { status: 405, code: "method-not-allowed", detail: `Use one of ${allow}.` },
    { Allow: allow },
  );
  const options = answers.plain(204, { Allow: allow });
  const head = answers.plain(200);
  const internal = answers.problem({
    status: 500,
    code: "internal-error",
    detail: "The callback could not be processed.",
  });

  /** The answer to a request that carries no callback. */
  const answerByMethod = (method: string | undefined): Answer | undefined => {
    if (method === "OPTIONS") return options;
    if (method === "HEAD" && methods.includes("GET")) return head;
    return methods.some((one) => one === method) ? undefined : notAllowed;
  };

  const failed = (error: unknown): Answer => {
    log.error("internal-error", `A callback could not be processed: ${nameOf(error)}. Please report it.`);
    return internal;
  };

  const answer = (req: IncomingRequest, res: ServerResponse, given: Answer): void => {
    try {
      send(req, res, given);
    } catch (error) {
      log.error("answer-failed", `An answer could not be sent: ${nameOf(error)}.`);
      res.destroy();
    }
  };

  /** Answers a callback that is in hand. */
  const receiveAndAnswer = (req: IncomingRequest, res: ServerResponse, callback: Parameters<Receive>[0]): void => {
    const settle = (given: Answer): void => {
      capacity.leave();
      answer(req, res, given);
    };
    try {
      const receipt = receive(callback);
      if (receipt instanceof Promise) void receipt.catch(failed).then(settle);
      else settle(receipt);
    } catch (error) {
      settle(failed(error));
    }
  };

  const listener: Listener = (req: IncomingRequest, res, next) => {
    const target = targetOf(req);
    if (!isFor(listener, req, target, next, path)) {
      if (next === undefined) answer(req, res, notFound);
      else next();
      return;
    }
    const atOnce = answerByMethod(req.method) ?? (capacity.enter() ? undefined : answers.busy());
    if (atOnce !== undefined) answer(req, res, atOnce);
    else if (req.method === "GET") receiveAndAnswer(req, res, { method: "GET", query: target.query });
    else readBody(req, rooms, log, (callback) => receiveAndAnswer(req, res, callback));
  };
  return listener;
}
