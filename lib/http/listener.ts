// The (req, res, next) function: routes a request, passes its callback to the pipeline, and sends the answer.
// It does not know messages.

import type { ServerResponse } from "node:http";

import type { Refused } from "../access/authorize.js";
import type { Answer, Answers } from "../answer/receipt.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import type { Log } from "../base/log.js";
import { nameOf } from "../base/thrown.js";
import type { Admit } from "../pipeline/admit.js";
import type { Receive } from "../pipeline/receive.js";
import { readBody, type WhenRead } from "./body.js";
import type { Capacity, Slot, Stage } from "./capacity.js";
import type { BodyLimits } from "./chunks.js";
import { FlowingBody } from "./flowing-body.js";
import type { IncomingRequest, Listener, Next } from "./requests.js";
import { send } from "./send.js";
import { isFor, targetOf } from "./target.js";

export type Method = "GET" | "POST";

interface ListenerDeps extends BodyLimits {
  /** Without a trailing slash. */
  readonly path: string;
  readonly methods: readonly Method[];
  readonly capacity: Capacity;
  readonly admit: Admit;
  readonly receive: Receive;
  readonly answers: Answers;
  readonly log: Log;
}

const noop = (): void => undefined;

/** Frees the slot of a callback, and answers it. */
type Settle = (answer: Answer) => void;

export function createListener(deps: ListenerDeps): Listener {
  const { path, methods, capacity, admit, receive, answers, log } = deps;
  const isCallback = (method: string | undefined): method is Method => methods.some((one) => one === method);
  const allow = ["GET", "HEAD", "POST", "OPTIONS"]
    .filter((method) => method === "HEAD" || method === "OPTIONS" || isCallback(method))
    .join(", ");
  const ownPath = path === "" ? "/" : path;
  const notFound = (where: string): Answer =>
    answers.problem({ status: 404, code: "not-found", detail: `Nothing exists at this path. Use ${where}.` });
  const notAtPath = notFound(ownPath);
  const notAtMount = notFound("the path at which the router is mounted");
  const notAllowed = answers.problem(
    { status: 405, code: "method-not-allowed", detail: `Use one of ${allow}.` },
    { Allow: allow },
  );
  const options = answers.plain(204, { Allow: allow });
  const head = answers.plain(200);
  /** The answer to a request that carries no callback. */
  const answerTo = (method: string | undefined): Answer => {
    if (method === "OPTIONS") return options;
    return method === "HEAD" ? head : notAllowed;
  };

  const failed = (error: unknown): Answer => {
    log.error("internal-error", `A callback could not be processed: ${nameOf(error)}. Please report it.`);
    return answers.broken();
  };

  /** Does not throw, even if earlier middleware has replaced methods of the response. */
  const sendAnswer = (req: IncomingRequest, res: ServerResponse, answer: Answer): void => {
    const fail = (error: unknown): void => {
      log.error("answer-failed", `An answer could not be sent: ${nameOf(error)}.`);
      try {
        res.destroy();
      } catch {
        // Nothing else can be done with this response.
      }
    };
    try {
      send(req, res, answer, fail);
    } catch (error) {
      fail(error);
    }
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
  const processCallback = (req: IncomingRequest, res: ServerResponse, method: Method, query: string): void => {
    /** `undefined` until the callback is let in. */
    let slot: Slot | undefined;
    /** Once settled, later results are ignored: a step may fail and still go on. */
    let isSettled = false;
    let flowing: FlowingBody | undefined;
    const settle: Settle = (answer) => {
      if (isSettled) return;
      isSettled = true;
      if (slot !== undefined) capacity.leave(slot);
      flowing?.take();
      sendAnswer(req, res, answer);
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
      if (capacity.enter(turnAway)) {
        slot = turnAway;
        if (method === "POST") flowing = new FlowingBody(req, deps.bodyLimit);
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
      else if (method === "GET") receiveCallback({ method, query });
      else enterStage("reading", () => run(() => readBody(req, flowing, deps, log, receiveCallback), noop, settle));
    };
    run(() => admit.authorize(req, query), proceed, settle);
  };

  /** A request for another path. */
  const passOn = (req: IncomingRequest, res: ServerResponse, next: Next | undefined): void => {
    if (next !== undefined) {
      next();
      return;
    }
    const isMounted = req.baseUrl !== undefined;
    log.advise("KALEYRA_SMS_OTHER_PATH", { why: `the router answers ${isMounted ? "its mount path" : ownPath}` });
    sendAnswer(req, res, isMounted ? notAtMount : notAtPath);
  };

  const answerRequest = (req: IncomingRequest, res: ServerResponse, next: Next | undefined): void => {
    const { method } = req;
    const target = targetOf(req);
    if (!isFor(incomingSms, req, target, next, path)) passOn(req, res, next);
    else if (!isCallback(method)) sendAnswer(req, res, answerTo(method));
    else if (capacity.isClosed) sendAnswer(req, res, admit.turnAway("closing", method));
    else processCallback(req, res, method, target.query);
  };
  /** Its name is the one that traces show. HTTP/2's request and response have all that is used here. */
  const incomingSms: Listener = (req, res, next) => answerRequest(req as IncomingRequest, res as ServerResponse, next);
  return incomingSms;
}
