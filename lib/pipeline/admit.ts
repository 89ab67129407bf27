// Admits a request before its body is read, or rejects an unauthorized caller.

import type { Authorize, Refused } from "../access/authorize.js";
import type { Answer, Answers } from "../answer/receipt.js";
import { now } from "../base/clock.js";
import { then, type MaybePromise } from "../base/maybe-promise.js";
import type { Log } from "../base/log.js";
import type { Dispatcher } from "../handlers/dispatcher.js";

export interface Admit {
  readonly authorize: Authorize;
  /** Emits `unauthorized`, and returns the answer. Does not reject. */
  readonly refuse: (refused: Refused, method: "GET" | "POST") => MaybePromise<Answer>;
}

export function createAdmit(authorize: Authorize, dispatcher: Dispatcher, answers: Answers, log: Log): Admit {
  return {
    authorize,
    refuse: ({ reason, ip, scheme }, method) => {
      const unauthorized = Object.freeze({ reason, method, ip, receivedAt: now() });
      return then(dispatcher.announce("unauthorized", unauthorized), () => {
        const answer = answers.unauthorized(scheme);
        log.answered(method, `unauthorized (${reason})`, answer.status, {});
        return answer;
      });
    },
  };
}
