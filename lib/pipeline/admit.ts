// Admits a request before its body is read, or rejects an unauthorized caller.

import type { Authorize, Refused } from "../access/authorize.js";
import type { Answers, Receipt } from "../answer/receipt.js";
import { now } from "../base/clock.js";
import { then, type MaybePromise } from "../base/maybe-promise.js";
import type { Log } from "../base/log.js";
import type { SmsMessage } from "../callback/message.js";
import type { Dispatcher } from "../handlers/dispatcher.js";
import type { BusyCallback } from "../handlers/events.js";
import type { ObservedAnswer } from "./observer.js";

export interface Admit {
  readonly authorize: Authorize;
  /** Emits `unauthorized`, and returns the answer. Does not reject. */
  readonly refuse: (refused: Refused, method: "GET" | "POST") => MaybePromise<ObservedAnswer>;
  /** Emits `busy` with a reason of its own, and returns the receipt. Does not wait for the handlers: they have no slot. */
  readonly turnAway: TurnAway;
}

export type TurnAway = (
  reason: BusyCallback["reason"],
  method: "GET" | "POST",
  message?: SmsMessage,
) => Receipt & { readonly outcome: "busy" };

export function createAdmit(authorize: Authorize, dispatcher: Dispatcher, answers: Answers, log: Log): Admit {
  return {
    authorize,
    turnAway: (reason, method, message) => {
      const subject = message === undefined ? {} : { message };
      void dispatcher.announce("busy", Object.freeze({ reason, method, receivedAt: now(), ...subject }));
      const receipt = answers.busy(message);
      if (message === undefined) log.answered(method, `busy (${reason})`, receipt.status, {});
      return receipt;
    },
    refuse: ({ code, reason, ip, scheme }, method) => {
      const unauthorized = Object.freeze({ code, reason, method, ip, receivedAt: now() });
      return then(dispatcher.announce("unauthorized", unauthorized), () => {
        const answer = answers.unauthorized(scheme);
        log.answered(method, `unauthorized (${reason})`, answer.status, {});
        return { ...answer, unauthorized };
      });
    },
  };
}
