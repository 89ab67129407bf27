// A line of the table that `check` prints: what it asks, and what the answers show.

import type { MaybePromise } from "../../base/maybe-promise.js";
import { problemCodeOf } from "../problem.js";
import type { Endpoint, Request } from "./endpoint.js";
import type { Outcome } from "./exchange.js";

export interface Finding {
  readonly result: "holds" | "fails" | "not proven";
  /** What came: `answered 400`. */
  readonly seen?: string | undefined;
  /** What to do, or why nothing is proven. */
  readonly next?: string | undefined;
}

export interface Line {
  /** A sentence whose subject is the endpoint: "accepts an empty text". */
  readonly name: string;
  readonly ask: (endpoint: Endpoint) => MaybePromise<Finding>;
}

export interface Group {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** What an outcome shows: whether it is as wanted, or does not say. */
type Judge = (outcome: Outcome) => Finding;

/** A line that holds if each of its requests, one after the other, is answered as wanted. */
export function line(name: string, judge: Judge, ...requests: ReadonlyArray<() => Request>): Line {
  return {
    name,
    ask: async (endpoint) => {
      const findings: Finding[] = [];
      for (const request of requests) {
        const finding = judge(await endpoint.ask(request()));
        if (finding.result === "fails") return finding;
        findings.push(finding);
      }
      return findings.find(({ result }) => result === "not proven") ?? HOLDS;
    },
  };
}

export const HOLDS: Finding = { result: "holds" };

/** @param next - what to do if it is not accepted */
export function accepted(next: string): Judge {
  return judge((status) => isAccepted(status), next);
}

/** @param next - what to do if it is accepted, or fails with an error of the server's */
export function refused(next: string): Judge {
  return judge((status) => status >= 400 && status < 500, next);
}

/** Any answer is good, except an error of the server's. */
export function survived(next: string): Judge {
  return judge((status) => status < 500, next);
}

/** Holds if the status is as wanted. */
export function judge(isWanted: (status: number) => boolean, next: string): Judge {
  return (outcome) => {
    if (outcome === "closed") return { ...silent(outcome), next };
    if (typeof outcome === "string") return silent(outcome);
    if (isWanted(outcome.status)) return HOLDS;
    if (outcome.status === 429) return LIMITED;
    return { result: "fails", seen: seenIn(outcome), next };
  };
}

export function isAccepted(status: number): boolean {
  return status >= 200 && status < 300;
}

export function seenIn(outcome: Outcome): string {
  if (typeof outcome === "string") return SILENCES[outcome].seen;
  const code = problemCodeOf(outcome.body);
  return `answered ${outcome.status}${code === undefined ? "" : `, ${code}`}`;
}

/** What no answer at all shows. */
export function silent(silence: Extract<Outcome, string>): Finding {
  return { result: "fails", ...SILENCES[silence] };
}

const SILENCES = {
  late: {
    seen: "no answer within 5 seconds",
    next: "Answer first, and work afterwards: nothing says how long the provider waits. An inbox does that.",
  },
  closed: {
    seen: "closed the connection without an answer",
    next: "Look at the log of your app: an error that nothing catches breaks off the request.",
  },
  refused: { seen: "nothing listens any more", next: "The server had stopped." },
} as const;

const LIMITED: Finding = {
  result: "not proven",
  seen: "answered 429",
  next: "The endpoint limits how often it is called: lift the limit while you check.",
};
