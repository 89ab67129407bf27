// Lets a request go on to its body, or has the answer for a caller that may not call.

import type { IncomingMessage } from "node:http";

import type { Authorize, Refused } from "../access/authorize.js";
import type { Answer, Answers } from "../answer/receipt.js";
import { now } from "../base/clock.js";
import { then, type Eventual } from "../base/eventual.js";
import type { Log } from "../base/log.js";
import type { Dispatcher } from "../handlers/dispatcher.js";

/** Gives the answer where the request may not go on. Does not reject. */
export type Admit = (req: IncomingMessage, method: "GET" | "POST", query: string) => Eventual<Answer | undefined>;

export function createAdmit(authorize: Authorize, dispatcher: Dispatcher, answers: Answers, log: Log): Admit {
  const refuse = (refused: Refused | undefined, method: "GET" | "POST"): Eventual<Answer | undefined> => {
    if (refused === undefined) return undefined;
    const { reason, ip, scheme } = refused;
    const unauthorized = Object.freeze({ reason, method, ip, receivedAt: now() });
    return then(dispatcher.announce("unauthorized", unauthorized), () => {
      const answer = answers.unauthorized(scheme);
      log.answered(method, `unauthorized (${reason})`, answer.status, {});
      return answer;
    });
  };
  return (req, method, query) => then(authorize(req, query), (refused) => refuse(refused, method));
}
