// The (req, res, next) function: routes a request, and passes it through the stages. It does not know messages.

import type { ServerResponse } from "node:http";

import type { Answer, Answers } from "../answer/receipt.js";
import type { Log } from "../base/log.js";
import { nameOf } from "../base/thrown.js";
import { readBody, type WhenRead } from "./body.js";
import type { BodyLimits } from "./chunks.js";
import { FlowingBody } from "./flowing-body.js";
import type { IncomingRequest, Listener, Next } from "./requests.js";
import { send } from "./send.js";
import type { Exchange, Stages } from "./stages.js";
import { isFor, targetOf } from "./target.js";

interface Deps extends BodyLimits {
  /** Without a trailing slash. */
  readonly path: string;
  readonly answers: Answers;
  /** Whether the router is closing: an answer then closes its connection. */
  readonly isClosing: () => boolean;
  readonly log: Log;
}

export function createListener(stages: Stages, deps: Deps): Listener {
  const { path, answers, log } = deps;
  const ownPath = path === "" ? "/" : path;
  const notFound = (where: string): Answer =>
    answers.problem({ status: 404, code: "not-found", detail: `Nothing exists at this path. Use ${where}.` });
  const notAtPath = notFound(ownPath);
  const notAtMount = notFound("the path at which the router is mounted");

  /** A request for another path. */
  const passOn = (req: IncomingRequest, res: ServerResponse, next: Next | undefined): void => {
    if (next !== undefined) {
      next();
      return;
    }
    const isMounted = req.baseUrl !== undefined;
    log.advise("KALEYRA_SMS_OTHER_PATH", { why: `the router answers ${isMounted ? "its mount path" : ownPath}` });
    sendSafely(req, res, isMounted ? notAtMount : notAtPath, deps);
  };

  const answerRequest = (req: IncomingRequest, res: ServerResponse, next: Next | undefined): void => {
    const target = targetOf(req);
    if (isFor(incomingSms, req, target, next, path)) stages(new NodeExchange(req, res, target.query, deps));
    else passOn(req, res, next);
  };
  /** Its name is the one that traces show. HTTP/2's request and response have all that is used here. */
  const incomingSms: Listener = (req, res, next) => answerRequest(req as IncomingRequest, res as ServerResponse, next);
  return incomingSms;
}

class NodeExchange implements Exchange {
  readonly caller: IncomingRequest;
  readonly query: string;
  readonly #res: ServerResponse;
  readonly #deps: Deps;
  #flowing: FlowingBody | undefined;

  constructor(req: IncomingRequest, res: ServerResponse, query: string, deps: Deps) {
    this.caller = req;
    this.query = query;
    this.#res = res;
    this.#deps = deps;
  }

  get method(): string | undefined {
    return this.caller.method;
  }

  keepBody(): void {
    this.#flowing = new FlowingBody(this.caller, this.#deps.bodyLimit);
  }

  readBody(whenRead: WhenRead): void {
    readBody(this.caller, this.#flowing, this.#deps, this.#deps.log, whenRead);
  }

  answer(answer: Answer): void {
    sendSafely(this.caller, this.#res, answer, this.#deps);
    this.#flowing?.take();
  }
}

/** Does not throw, even if earlier middleware has replaced methods of the response. */
function sendSafely(req: IncomingRequest, res: ServerResponse, answer: Answer, { isClosing, log }: Deps): void {
  const fail = (error: unknown): void => {
    log.error("answer-failed", `An answer could not be sent: ${nameOf(error)}.`);
    try {
      res.destroy();
    } catch {
      // Nothing else can be done with this response.
    }
  };
  try {
    send(req, res, isClosing() ? lastAnswer(req, answer) : answer, fail);
  } catch (error) {
    fail(error);
  }
}

/** HTTP/2 has no such header. */
function lastAnswer({ httpVersionMajor }: IncomingRequest, answer: Answer): Answer {
  return httpVersionMajor > 1 ? answer : { ...answer, headers: { ...answer.headers, Connection: "close" } };
}
