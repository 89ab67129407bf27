// Tells whether a caller may call.

import type { IncomingMessage } from "node:http";

import type { Eventual } from "../eventual.js";
import type { Log } from "../log.js";
import type { TimeLimit } from "../time-limit.js";
import { addressOf } from "./address.js";
import type { Demanded } from "./authentication.js";
import { demandsOf, type Caller, type Demand, type Unmet } from "./demands.js";

/** A caller that may not call. */
export interface Refused {
  /** Which demands were not met. */
  readonly reason: string;
  readonly ip: string | undefined;
  /** The schemes that would let it in (401); where there are none, the answer is 403. */
  readonly schemes: ReadonlyArray<"Basic" | "Bearer">;
}

/** `undefined` where the caller may call. */
export type Authorize = (req: IncomingMessage, query: string) => Eventual<Refused | undefined>;

/** @param limit - for how long functions of the user's are waited for */
export function createAuthorize(demanded: Demanded, limit: TimeLimit, log: Log): Authorize {
  const demands = demandsOf(demanded, log);
  const questions = demands.filter(({ ask }) => ask !== undefined);

  return (req, query) => {
    const caller = { req, query };
    let unmet: Unmets | undefined;
    for (const demand of demands) {
      const reason = demand.unmet(caller);
      if (reason !== undefined) (unmet ??= []).push({ demand, reason });
    }
    if (unmet !== undefined) return refused(req, unmet);
    return questions.length === 0 ? undefined : askAll(questions, caller, limit);
  };
}

type Unmets = Array<{ readonly demand: Demand; readonly reason: string }>;

function refused(req: IncomingMessage, unmet: Unmets): Refused {
  return {
    reason: unmet.map(({ reason }) => reason).join(" "),
    ip: addressOf(req),
    schemes: unmet.flatMap(({ demand: { scheme } }) => scheme ?? []),
  };
}

async function askAll(questions: readonly Demand[], caller: Caller, limit: TimeLimit): Promise<Refused | undefined> {
  const answers = await Promise.all(
    questions.map(async (demand): Promise<Unmets> => {
      const reason = await answerOf(demand, caller, limit);
      return reason === undefined ? [] : [{ demand, reason }];
    }),
  );
  const unmet = answers.flat();
  return unmet.length === 0 ? undefined : refused(caller.req, unmet);
}

async function answerOf({ ask }: Demand, caller: Caller, limit: TimeLimit): Promise<Unmet> {
  const answer = ask?.(caller);
  if (answer === undefined || (await limit.wait(answer))) return answer;
  return "A function of options.authenticate did not answer within handlerTimeoutMs.";
}
