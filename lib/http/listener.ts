// The (req, res, next) function: takes a request apart, hands what it carries on, and answers. Knows nothing of messages.

import type { ServerResponse } from "node:http";

import type { Refused } from "../access/authorize.js";
import type { Answer, Answers } from "../answer/receipt.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import type { Log } from "../base/log.js";
import { nameOf } from "../base/thrown.js";
import type { Admit } from "../pipeline/admit.js";
import type { Receive } from "../pipeline/receive.js";
import { readBody, type BodyLimits } from "./body.js";
import type { Capacity, Place, Stage } from "./capacity.js";
import type { IncomingRequest, Listener } from "./requests.js";
import { send } from "./send.js";
import { isFor, targetOf } from "./target.js";

export type Method = "GET" | "POST";

interface ListenerDeps extends BodyLimits {
  /** Without a slash at its end. */
  readonly path: string;
  readonly methods: readonly Method[];
  readonly capacity: Capacity;
  readonly admit: Admit;
  readonly receive: Receive;
  readonly answers: Answers;
  readonly log: Log;
}

const noop = (): void => undefined;

/** Lets a callback out of hand, and gives it its answer. */
type Settle = (answer: Answer) => void;

export function createListener(deps: ListenerDeps): Listener {
  const { path, methods, capacity, admit, receive, answers, log } = deps;
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
  /** The answer to a request that carries no callback. */
  const answerTo = (method: string | undefined): Answer => {
    if (method === "OPTIONS") return options;
    return method === "HEAD" && methods.includes("GET") ? head : notAllowed;
  };
  const isCallback = (method: string | undefined): method is Method => methods.some((one) => one === method);

  const failed = (error: unknown): Answer => {
    log.error("internal-error", `A callback could not be processed: ${nameOf(error)}. Please report it.`);
    return answers.broken();
  };

  /** Does not throw, whatever something in front of this router has made of the response. */
  const answer = (req: IncomingRequest, res: ServerResponse, given: Answer): void => {
    const fail = (error: unknown): void => {
      log.error("answer-failed", `An answer could not be sent: ${nameOf(error)}.`);
      try {
        res.destroy();
      } catch {
        // There is nothing left to be done with it.
      }
    };
    try {
      send(req, res, given, fail);
    } catch (error) {
      fail(error);
    }
  };

  /** Takes a step with a callback that is in hand, at once where nothing is waited for; a step that fails is its last. */
  const take = <Value>(step: () => MaybePromise<Value>, next: (value: Value) => void, settle: Settle): void => {
    const fail = (error: unknown): void => settle(failed(error));
    try {
      const value = step();
      if (value instanceof Promise) void value.then(next, fail);
      else next(value);
    } catch (error) {
      fail(error);
    }
  };

  /** Leads a callback to its answer. */
  const lead = (req: IncomingRequest, res: ServerResponse, method: Method, query: string): void => {
    /** `undefined` before it is in hand. */
    let place: Place | undefined;
    /** Then nothing comes of what is still under way: a step may fail, and go on all the same. */
    let isSettled = false;
    const settle: Settle = (given) => {
      if (isSettled) return;
      isSettled = true;
      if (place !== undefined) capacity.leave(place);
      answer(req, res, given);
    };
    const goTo = (next: Stage, step: () => void): void => {
      if (isSettled) return;
      if (place === undefined ? capacity.enter(next) : capacity.move(place, next)) {
        place = next;
        step();
      } else settle(answers.busy());
    };
    /** A caller whose check takes longest is answered 503 if others need its place. What its functions return then is ignored. */
    const check = (ask: () => Promise<Refused | undefined>): void => {
      const end = (): void => settle(answers.busy());
      if (capacity.enter(end)) {
        place = end;
        take(ask, goOn, settle);
      } else end();
    };
    const receiveIt = (callback: Parameters<Receive>[0]): void =>
      goTo("handling", () => take(() => receive(callback), settle, settle));
    const goOn = (verdict: ReturnType<Admit["authorize"]>): void => {
      if (typeof verdict === "function") check(verdict);
      else if (verdict !== undefined) goTo("refusing", () => take(() => admit.refuse(verdict, method), settle, settle));
      else if (method === "GET") receiveIt({ method, query });
      else goTo("reading", () => take(() => readBody(req, deps, log, receiveIt), noop, settle));
    };
    take(() => admit.authorize(req, query), goOn, settle);
  };

  const listener: Listener = (req: IncomingRequest, res, next) => {
    const { method } = req;
    const target = targetOf(req);
    if (!isFor(listener, req, target, next, path)) {
      if (next === undefined) answer(req, res, notFound);
      else next();
    } else if (!isCallback(method)) answer(req, res, answerTo(method));
    else if (capacity.isClosed) answer(req, res, answers.busy());
    else lead(req, res, method, target.query);
  };
  return listener;
}
