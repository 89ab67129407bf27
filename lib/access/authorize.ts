// Tells whether a caller may call.

import type { IncomingMessage } from "node:http";

import type { Eventual } from "../eventual.js";
import type { Log } from "../log.js";
import type { TimeLimit } from "../time-limit.js";
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

/** A request as Express leaves it. */
interface ExpressRequest extends IncomingMessage {
  readonly ip?: unknown;
  readonly app?: { get?(setting: string): unknown };
}

/** @param limit - for how long functions of the user's are waited for */
export function createAuthorize(demanded: Demanded, limit: TimeLimit, log: Log): Authorize {
  const demands = demandsOf(demanded);
  const questions = demands.filter(({ ask }) => ask !== undefined);
  const isByAddress = demanded.addresses.length > 0;

  return (req: ExpressRequest, query) => {
    if (isByAddress && req.app?.get?.("trust proxy") === true) adviseOnTrustProxy(log);
    const caller = { req, query, ip: addressOf(req) };
    const refused = refusedBy(
      demands,
      demands.map(({ unmet }) => unmet(caller)),
      caller,
    );
    if (refused !== undefined || questions.length === 0) return refused;
    const answers = questions.map((question) => answerOf(question, caller, limit));
    return Promise.all(answers).then((unmet) => refusedBy(questions, unmet, caller));
  };
}

/** @param unmet - what each of the demands says */
function refusedBy(demands: readonly Demand[], unmet: readonly Unmet[], { ip }: Caller): Refused | undefined {
  const failed = demands.filter((_, n) => unmet[n] !== undefined);
  if (failed.length === 0) return undefined;
  return {
    reason: unmet.filter((reason) => reason !== undefined).join(" "),
    ip,
    schemes: failed.flatMap(({ scheme }) => scheme ?? []),
  };
}

async function answerOf({ ask }: Demand, caller: Caller, limit: TimeLimit): Promise<Unmet> {
  const answer = ask?.(caller);
  if (answer === undefined || (await limit.wait(answer))) return answer;
  return "A function of options.authenticate did not answer within handlerTimeoutMs.";
}

function addressOf({ ip, socket }: ExpressRequest): string | undefined {
  return typeof ip === "string" ? ip : socket.remoteAddress;
}

function adviseOnTrustProxy(log: Log): void {
  log.advise(
    "KALEYRA_SMS_TRUST_PROXY",
    'With "trust proxy" set to true, callers choose the address that options.authenticate compares with allow: it is what they put into X-Forwarded-For. ' +
      'Set "trust proxy" to the number of proxies in front of the app, or to their addresses.',
  );
}
