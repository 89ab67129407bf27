// Tells whether a caller may call.

import type { IncomingMessage } from "node:http";

import type { Log } from "../base/log.js";
import type { TimeLimit } from "../base/time-limit.js";
import { addressOf } from "./address.js";
import type { Demanded } from "./authentication.js";
import { demandsOf, questionsOf, type Caller, type Question, type Scheme } from "./demands.js";

/** A caller that may not call. */
export interface Refused {
  /** Which demands were not met. */
  readonly reason: string;
  readonly ip: string | undefined;
  /** The scheme to ask it for (401); where there is none, the answer is 403. */
  readonly scheme: Scheme | undefined;
}

/** `undefined` where the caller may call. */
type Verdict = Refused | undefined;

/** Asks functions of the user's, which take their time. Does not reject. */
type Ask = () => Promise<Verdict>;

/** Looks at the request itself; what only functions can tell is asked when there is room for it. */
export type Authorize = (req: IncomingMessage, query: string) => Verdict | Ask;

/** @param limit - for how long functions of the user's are waited for */
export function createAuthorize(demanded: Demanded, limit: TimeLimit, log: Log): Authorize {
  const demands = demandsOf(demanded, log);
  const questions = questionsOf(demanded);

  return (req, query) => {
    const caller = { req, query };
    const failed: Failed[] = [];
    for (const { unmet, scheme } of demands) {
      const reason = unmet(caller);
      if (reason !== undefined) failed.push({ reason, scheme });
    }
    if (failed.length > 0) return refused(req, failed);
    return questions.length === 0 ? undefined : () => askThem(questions, caller, limit);
  };
}

interface Failed {
  readonly reason: string;
  readonly scheme: Scheme | undefined;
}

function refused(req: IncomingMessage, failed: readonly Failed[]): Refused {
  return {
    reason: failed.map(({ reason }) => reason).join(" "),
    ip: addressOf(req),
    scheme: failed.find(({ scheme }) => scheme !== undefined)?.scheme,
  };
}

async function askThem(questions: readonly Question[], caller: Caller, limit: TimeLimit): Promise<Verdict> {
  const answers = await Promise.all(
    questions.map(async ({ ask, scheme }): Promise<Failed[]> => {
      const answer = ask(caller);
      const reason = (await limit.wait(answer)) ? await answer : TOO_LATE;
      return reason === undefined ? [] : [{ reason, scheme }];
    }),
  );
  const failed = answers.flat();
  return failed.length === 0 ? undefined : refused(caller.req, failed);
}

const TOO_LATE = "A function of options.authenticate did not answer within handlerTimeoutMs.";
