// Lines of `check` about the answers themselves, and about what no answer can show.

import type { Callbacks } from "./callbacks.js";
import { SOURCE } from "./callbacks.js";
import type { Endpoint, Request } from "./endpoint.js";
import type { Outcome } from "./exchange.js";
import { accepted, HOLDS, isAccepted, type Finding, type Group, type Line } from "./line.js";

/** How many characters one SMS has. */
const ONE_SMS = 160;

/** Lines of a stack, or paths of files, in the common languages. */
const INTERNAL = /\bat \S.*:\d+:\d+|node_modules|Traceback \(most|\.(?:[cm]?[jt]s|py|rb|php|java|go):\d+/;

/** @param good - callbacks that are accepted, one for each method */
export function duplicates(...good: ReadonlyArray<() => Request>): Group {
  const judged = accepted(
    "Answer a duplicate with 200, as its first delivery, and do nothing: remember the ids of handled callbacks.",
  );
  const worst = (outcomes: readonly Outcome[]): Finding => {
    const findings = outcomes.map(judged);
    return findings.find(({ result }) => result === "fails") ?? findings.find((one) => one !== HOLDS) ?? HOLDS;
  };
  return {
    title: "Repeated callbacks",
    lines: [
      {
        name: "accepts a callback once more",
        ask: async (endpoint) => {
          const outcomes: Outcome[] = [];
          for (const make of good) {
            const request = make();
            outcomes.push(await endpoint.ask(request), await endpoint.ask(request));
          }
          return worst(outcomes);
        },
      },
      {
        name: "accepts a callback that comes twice at once",
        ask: async (endpoint) => {
          const requests = good.map((make) => make());
          return worst(await Promise.all([...requests, ...requests].map(async (request) => endpoint.ask(request))));
        },
      },
    ],
  };
}

/** Lines about all answers that came before. */
export function answers(callbacks: Callbacks, secrets: readonly string[]): Group {
  const held = [callbacks.nonce, SOURCE, ...secrets.filter((secret) => secret.length > 3)];
  return {
    title: "The answers",
    lines: [
      ofAccepted(),
      none(
        "repeats nothing that was sent",
        ({ body, headers }) => {
          const text = `${body}\n${Object.values(headers).join("\n")}`;
          return held.some((one) => text.includes(one));
        },
        "Never put what came into an answer: consoles keep answers, and some text them to the subscriber.",
      ),
      none(
        "reveals nothing of what runs inside",
        ({ body }) => INTERNAL.test(body),
        "Answer errors with a fixed text: a stack trace shows a stranger what runs there. " +
          "Express prints none under NODE_ENV=production.",
      ),
      {
        name: "lets no cache keep its answers",
        ask: ({ answers: all }) => {
          const gets = all.filter(({ method, status }) => method === "GET" && isAccepted(status));
          if (gets.length === 0)
            return { result: "not proven", next: "No callback by GET was accepted: only those can be kept." };
          if (gets.every(({ headers }) => /no-store/i.test(headers["cache-control"] ?? ""))) return HOLDS;
          return {
            result: "fails",
            next: "Send Cache-Control: no-store, so that no cache answers a GET in place of your app.",
          };
        },
      },
    ],
  };
}

function ofAccepted(): Line {
  return {
    name: "answers an accepted callback without a body, or with a short one",
    ask: ({ answers: all }) => {
      const bad = all.find(
        ({ status, body, headers }) =>
          isAccepted(status) &&
          (body.length > ONE_SMS || (body !== "" && /html/i.test(headers["content-type"] ?? "") && /<\w/.test(body))),
      );
      if (bad === undefined) return HOLDS;
      return {
        result: "fails",
        seen: `a body of ${bad.body.length} characters`,
        next:
          'Answer without a body: under "Send Trigger URL Response as reply SMS", ' +
          "each subscriber gets it as an SMS that you pay.",
      };
    },
  };
}

function none(name: string, isBad: (answer: Endpoint["answers"][number]) => boolean, next: string): Line {
  return {
    name,
    ask: ({ answers: all }) => {
      const bad = all.find(isBad);
      return bad === undefined ? HOLDS : { result: "fails", seen: `an answer ${bad.status} did`, next };
    },
  };
}

/** What an answer cannot show, and how to see it. */
export function notShown(callbacks: Callbacks): Group {
  const ids = `whose ids begin with ${callbacks.idPrefix}`;
  const unproven = (name: string, next: string): Line => ({ name, ask: () => ({ result: "not proven", next }) });
  return {
    title: "What no answer shows",
    lines: [
      unproven("reads a text exactly as it was typed", `Compare the texts of the messages ${ids} in your app.`),
      unproven("handles a repeated callback once", `Count the messages ${ids} in your app: no id is there twice.`),
      unproven(
        "loses nothing that it accepted when its process ends",
        "Use an inbox, and end your app by force in a test.",
      ),
    ],
  };
}
