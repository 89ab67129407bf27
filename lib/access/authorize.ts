// Decides whether a caller is authorized.

import type { Log } from "../base/log.js";
import type { TimeLimit } from "../base/time-limit.js";
import { addressOf } from "./address.js";
import type { Demanded } from "./authentication.js";
import { demandsOf, questionsOf, type Caller, type Failure, type Question, type Scheme } from "./demands.js";
import type { UnauthorizedCode } from "./unauthorized.js";

/** The rejection of an unauthorized caller. */
export interface Refused {
  readonly code: UnauthorizedCode;
  /** The demands that were not met. */
  readonly reason: string;
  readonly ip: string | undefined;
  /** The scheme to challenge the caller with (401). `undefined`: the answer is 403. */
  readonly scheme: Scheme | undefined;
}

/** `undefined` if the caller is authorized. */
type Verdict = Refused | undefined;

/** Calls the user's functions, which may take long. Does not reject. */
type Ask = () => Promise<Verdict>;

/** Checks the request itself. If the user's functions must decide, returns a function that calls them. */
export type Authorize = (req: Caller["req"], query: string) => Verdict | Ask;

/** @param limit - how long to wait for the user's functions */
export function createAuthorize(demanded: Demanded, limit: TimeLimit, log: Log): Authorize {
  const demands = demandsOf(demanded, log);
  const questions = questionsOf(demanded);

  return (req, query) => {
    const caller = { req, query };
    const failed: Failed[] = [];
    for (const { unmet, scheme } of demands) {
      const failure = unmet(caller);
      if (failure !== undefined) failed.push({ ...failure, scheme });
    }
    const [first] = failed;
    if (first !== undefined) return refused(req, first, failed);
    return questions.length === 0 ? undefined : () => askAll(questions, caller, limit);
  };
}

interface Failed extends Failure {
  readonly scheme: Scheme | undefined;
}

function refused(req: Caller["req"], { code }: Failed, failed: readonly Failed[]): Refused {
  return {
    code,
    reason: failed.map(({ reason }) => reason).join(" "),
    ip: addressOf(req),
    scheme: failed.find(({ scheme }) => scheme !== undefined)?.scheme,
  };
}

async function askAll(questions: readonly Question[], caller: Caller, limit: TimeLimit): Promise<Verdict> {
  const answers = await Promise.all(
    questions.map(async ({ ask, scheme }): Promise<Failed[]> => {
      const answer = ask(caller);
      const failure = (await limit.wait(answer)) ? await answer : TOO_LATE;
      return failure === undefined ? [] : [{ ...failure, scheme }];
    }),
  );
  const failed = answers.flat();
  const [first] = failed;
  return first === undefined ? undefined : refused(caller.req, first, failed);
}

const TOO_LATE: Failure = {
  code: "timeout",
  reason: "A function of options.authenticate did not answer within handlerTimeoutMs.",
};
