// The (req, res, next) function: takes a request apart, hands what it carries on, and answers. Knows nothing of messages.

import type { Answer, Answers } from "../answer/receipt.js";
import type { Capacity } from "../capacity.js";
import type { Log } from "../log.js";
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

  const answerTo = async (req: IncomingRequest, query: string): Promise<Answer> => {
    if (req.method === "GET") return receive({ method: "GET", query });
    return receive(await readBody(req, rooms, log));
  };

  const listener: Listener = (req: IncomingRequest, res, next) => {
    const target = targetOf(req);
    if (!isFor(listener, req, target, next, path)) {
      if (next === undefined) send(req, res, notFound);
      else next();
      return;
    }
    const answer = answerByMethod(req.method) ?? (capacity.enter() ? undefined : answers.busy());
    if (answer !== undefined) {
      send(req, res, answer);
      return;
    }
    void answerTo(req, target.query)
      .catch((error: unknown) => {
        log.debug("internal error: %s", error instanceof Error ? error.name : typeof error);
        return internal;
      })
      .then((given) => send(req, res, given))
      .finally(() => capacity.leave());
  };
  return listener;
}
