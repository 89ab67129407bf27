// Takes a request through the stages of a callback to its answer. It does not know how the request came.

import { AsyncResource } from "node:async_hooks";

import type { Refused } from "../access/authorize.js";
import type { Answer, Answers } from "../answer/receipt.js";
import type { Log } from "../base/log.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { within } from "../base/observation.js";
import { nameOf } from "../base/thrown.js";
import { REDIRECTED } from "../callback/no-sms.js";
import type { Admit } from "../pipeline/admit.js";
import type { Observers } from "../pipeline/observer.js";
import type { Receive } from "../pipeline/receive.js";
import type { WhenRead } from "./body.js";
import type { Capacity, Slot, Stage } from "./capacity.js";

export type Method = "GET" | "POST";

/** A request at the router's path, and the way to answer it. */
export interface Exchange {
  readonly method: string | undefined;
  /** Without the `?`. */
  readonly query: string;
  readonly caller: Parameters<Admit["authorize"]>[0];
  /** Called before an asynchronous check of the caller: keeps what flows of the body until it is read or answered. */
  keepBody(): void;
  /** Calls back once. */
  readBody(whenRead: WhenRead): void;
  /** Called once. Does not throw. */
  answer(answer: Answer): void;
}

interface Deps {
  readonly methods: readonly Method[];
  readonly capacity: Capacity;
  readonly admit: Admit;
  readonly receive: Receive;
  readonly answers: Answers;
  readonly observers: Observers;
  readonly log: Log;
}

/** Answers a request. */
export type Stages = (exchange: Exchange) => void;

const noop = (): void => undefined;

/** Frees the slot of a callback, and answers it. */
type Settle = (answer: Answer) => void;

export function createStages(deps: Deps): Stages {
  const { methods, capacity, admit, receive, answers, observers, log } = deps;
  const isCallback = (method: string | undefined): method is Method => methods.some((one) => one === method);
  const allow = ["GET", "HEAD", "POST", "OPTIONS"]
    .filter((method) => method === "HEAD" || method === "OPTIONS" || isCallback(method))
    .join(", ");
  const refuseMethod = (detail: string): Answer =>
    answers.problem({ status: 405, code: "method-not-allowed", detail }, { Allow: allow });
  const notAllowed = refuseMethod(`Use one of ${allow}.`);
  const getNotAllowed = refuseMethod(`Use one of ${allow}. ${REDIRECTED}`);
  const options = answers.plain(204, { Allow: allow });
  const head = answers.plain(200);
  /** The answer to a request that carries no callback. */
  const answerTo = (method: string | undefined): Answer => {
    if (method === "OPTIONS") return options;
    if (method === "HEAD") return head;
    return method === "GET" ? getNotAllowed : notAllowed;
  };

  const failed = (error: unknown): Answer => {
    log.error("internal-error", `A callback could not be processed: ${nameOf(error)}. Please report it.`);
    return answers.broken();
  };

  /** Runs a step, then the next one: synchronously if the step is. A step that fails settles the callback. */
  const run = <Value>(step: () => MaybePromise<Value>, next: (value: Value) => void, settle: Settle): void => {
    const fail = (error: unknown): void => settle(failed(error));
    try {
      const value = step();
      if (value instanceof Promise) void value.then(next, fail);
      else next(value);
    } catch (error) {
      fail(error);
    }
  };

  /** Takes a callback through all stages to its answer. */
  const processCallback = (exchange: Exchange, method: Method): void => {
    const observation = observers.ofCallbacks?.callback(method);
    /** `undefined` until the callback is let in. */
    let slot: Slot | undefined;
    /** Once settled, later results are ignored: a step may fail and still go on. */
    let isSettled = false;
    const settle: Settle = (answer) => {
      if (isSettled) return;
      isSettled = true;
      if (slot !== undefined) capacity.leave(slot);
      exchange.answer(answer);
      observation?.ended(answer);
    };
    const turnAway = (): void => {
      if (!isSettled) settle(admit.turnAway(capacity.isClosed ? "closing" : "capacity", method));
    };
    const enterStage = (stage: Stage, step: () => void): void => {
      if (isSettled) return;
      if (slot === undefined ? capacity.enter(stage) : capacity.move(slot, stage)) {
        slot = stage;
        step();
      } else turnAway();
    };
    /** If another check needs the slot, the caller is answered 503, and the result of its check is ignored. */
    const check = (ask: () => Promise<Refused | undefined>): void => {
      // It is the request of another caller that ends this check, and the context would be that of the other one.
      const end = AsyncResource.bind(turnAway);
      if (capacity.enter(end)) {
        slot = end;
        if (method === "POST") exchange.keepBody();
        run(ask, proceed, settle);
      } else turnAway();
    };
    const receiveCallback: WhenRead = (callback) => {
      if (callback === "consumed") settle(answers.bodyConsumed());
      else enterStage("handling", () => run(() => receive(callback), settle, settle));
    };
    const proceed = (verdict: ReturnType<Admit["authorize"]>): void => {
      if (typeof verdict === "function") check(verdict);
      else if (verdict !== undefined)
        enterStage("refusing", () => run(() => admit.refuse(verdict, method), settle, settle));
      else if (method === "GET") receiveCallback({ method, query: exchange.query });
      else enterStage("reading", () => run(() => exchange.readBody(receiveCallback), noop, settle));
    };
    const begin = (): void => {
      if (capacity.isClosed) turnAway();
      else run(() => admit.authorize(exchange.caller, exchange.query), proceed, settle);
    };
    if (observation === undefined) begin();
    else within(observation, begin);
  };

  return (exchange) => {
    const { method } = exchange;
    if (!isCallback(method)) exchange.answer(answerTo(method));
    else processCallback(exchange, method);
  };
}
