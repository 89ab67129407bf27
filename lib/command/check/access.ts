// Lines of `check` about who may call: without the secrets, or with wrong ones.

import type { Callbacks } from "./callbacks.js";
import type { Endpoint, Request } from "./endpoint.js";
import type { Outcome } from "./exchange.js";
import { HOLDS, isAccepted, judge, seenIn, silent, type Finding, type Group, type Line } from "./line.js";
import { allChanged, changedOneByOne, NOTHING_SHOWN, type Change, type Shown } from "./shown.js";

const ANYONE =
  "Anyone who knows the URL can opt your customers in and out. Let the provider send a secret and demand it, as " +
  "options.authenticate does, then run check with it: --header, --query, --basic or --bearer. " +
  "If your app lets in addresses instead, and this machine's is one of them, run check from another one.";

const COMPARE = "Compare the whole secret, byte by byte and in constant time.";

/**
 * @param good - callbacks that are accepted, one for each method
 * @param shown - what a legitimate caller shows
 */
export function access(callbacks: Callbacks, good: ReadonlyArray<() => Request>, shown: Shown): Group {
  const wrong: Change = () => [`${callbacks.idPrefix}wrong`];
  const changed = (name: string, change: Change, next = COMPARE): Line => ({
    name,
    ask: (endpoint) => {
      const all = changedOneByOne(shown, change);
      if (all.length === 0) return { result: "not proven", next: "The secret cannot be changed in this way." };
      return eachTurnedAway(endpoint, good, all, next);
    },
  });
  const nothing: Line = {
    name: "refuses a caller that shows no secret",
    ask: (endpoint) => eachTurnedAway(endpoint, good, [{ shown: NOTHING_SHOWN }], ANYONE),
  };
  const ofSecrets = [
    changed("refuses a wrong secret", wrong),
    changed("refuses a secret without its last character", (secret) => [secret.slice(0, -1)]),
    changed("refuses a secret with one more character", (secret) => [`${secret}x`]),
    changed("refuses a secret in the other case", otherCase),
    changed(
      "refuses a secret that comes twice",
      (secret) => [secret, secret],
      "Refuse a header or variable that comes twice: a proxy and your app may each read another one.",
    ),
    ...good.slice(0, 1).map((one) => sameAnswer(one, allChanged(shown, wrong))),
  ];
  return { title: "Who may call", lines: shown.length === 0 ? [nothing] : [nothing, ...ofSecrets] };
}

/** Sends each callback with each of what is shown. */
async function eachTurnedAway(
  endpoint: Endpoint,
  good: ReadonlyArray<() => Request>,
  all: ReadonlyArray<{ readonly of?: Shown[number]; readonly shown: Shown }>,
  next: string,
): Promise<Finding> {
  let found = HOLDS;
  for (const make of good)
    for (const { of, shown } of all) {
      const request = make();
      const finding = turnedAway(await endpoint.ask(request, shown), next);
      const what = of === undefined ? request.method : `${request.method}, ${of.in} ${of.name}`;
      if (finding.result === "fails") return { ...finding, seen: `${finding.seen ?? ""} to ${what}` };
      if (finding.result === "not proven") found = finding;
    }
  return found;
}

function sameAnswer(good: () => Request, wrong: Shown): Line {
  return {
    name: "gives no hint of what is wrong with a secret",
    ask: async (endpoint) => {
      const toNone = await endpoint.ask(good(), NOTHING_SHOWN);
      const toWrong = await endpoint.ask(good(), wrong);
      if (typeof toNone === "string") return silent(toNone);
      if (typeof toWrong === "string") return silent(toWrong);
      if (toNone.status === toWrong.status && toNone.body === toWrong.body) return HOLDS;
      return {
        result: "fails",
        seen: "another answer to no secret than to a wrong one",
        next: "Give one answer to all who may not call.",
      };
    },
  };
}

/** Holds if the caller is refused for who it is. */
function turnedAway(outcome: Outcome, next: string): Finding {
  const finding = judge((status) => status === 401 || status === 403, next)(outcome);
  const isOther = typeof outcome !== "string" && outcome.status < 500 && !isAccepted(outcome.status);
  if (finding.result !== "fails" || !isOther) return finding;
  return {
    result: "not proven",
    seen: seenIn(outcome),
    next: "It may be refused for another reason: answer 401 or 403 to who may not call.",
  };
}

function otherCase(secret: string): string[] {
  const other = secret.replaceAll(/[a-z]/gi, (letter) => {
    const upper = letter.toUpperCase();
    return letter === upper ? letter.toLowerCase() : upper;
  });
  return other === secret ? [] : [other];
}
