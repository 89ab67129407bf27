// Lines of `check` about what strangers send: whatever it is, the endpoint answers it, and goes on.

import type { Callbacks } from "./callbacks.js";
import type { Endpoint, Request } from "./endpoint.js";
import { HOLDS, isAccepted, line, seenIn, silent, survived, type Finding, type Group } from "./line.js";

const CAUGHT = "Check what came before you use it, so that no request makes your code throw: answer 400.";

/** Far above any limit of a callback's body. In bytes. */
const HUGE_BYTES = 10_485_760;

/** How long a body may be on its way: more than the default of `bodyTimeoutMs`. */
const STALLED_MS = 12_000;

/** How long a body over the limit may stay unanswered once its length is declared. In milliseconds. */
const PROMPT_MS = 2_000;

export function hostilePosts(callbacks: Callbacks): Group {
  const body = (make: (fields: Readonly<Record<string, string>>, json: string) => string) => () =>
    callbacks.postFrom(make);
  const more = (json: string, members: string): string => json.replace(/\}$/, `,${members}}`);
  return {
    title: "Hostile bodies",
    lines: [
      line(
        "survives the names that every object inherits",
        survived(`${CAUGHT} Do not look names up in an object that inherits.`),
        body((_fields, json) =>
          more(json, '"__proto__":{"source":"1"},"constructor":"x","hasOwnProperty":"x","toString":"x"'),
        ),
        body(() => '{"__proto__":null}'),
      ),
      line(
        "survives a body of 50,000 nested lists",
        survived(CAUGHT),
        body((_fields, json) => more(json, `"deep":${"[".repeat(50_000)}${"]".repeat(50_000)}`)),
      ),
      line(
        "survives 10,000 fields",
        survived(CAUGHT),
        body((_fields, json) => more(json, Array.from({ length: 10_000 }, (_, n) => `"x${n}":""`).join(","))),
      ),
      line(
        "survives JSON that is no object",
        survived(CAUGHT),
        ...["null", "[]", '"x"', "1"].map((text) => body(() => text)),
      ),
      line(
        "survives a text with NUL and half an escape",
        survived(CAUGHT),
        body((_fields, json) => json.replace("hello", "\\u0000 \\ud83d")),
      ),
      line("survives a text that looks like the end of the template", survived(CAUGHT), () =>
        callbacks.post(callbacks.text('x","keyword":"ADMIN'), "none"),
      ),
      {
        name: "refuses a body of 10 MB before it is there",
        ask: async (endpoint) =>
          huge(
            endpoint,
            callbacks.postFrom((_fields, json) => json.slice(0, -1)),
          ),
      },
      {
        name: "survives a connection that breaks within a body",
        ask: async (endpoint) => {
          await endpoint.ask({ ...callbacks.post(), declaredBytes: 100_000, isCut: true });
          const after = await endpoint.ask({ method: "HEAD" });
          return typeof after === "string" ? silent(after) : HOLDS;
        },
      },
      {
        name: "answers a body that never comes to its end",
        ask: async (endpoint) => stalled(endpoint, { ...callbacks.post(), declaredBytes: 100_000 }),
      },
    ],
  };
}

/** Lines about queries, for an endpoint that takes GET. */
export function hostileGets(callbacks: Callbacks): Group {
  const query = (change: (query: string) => string) => () => callbacks.get(undefined, change);
  return {
    title: "Hostile queries",
    lines: [
      line(
        "survives the names that every object inherits in a query",
        survived(CAUGHT),
        query((sent) => `${sent}&__proto__=1&__proto__[source]=1&constructor[prototype][x]=1&hasOwnProperty=1`),
      ),
      line(
        "survives lists and objects in a query",
        survived(CAUGHT),
        query((sent) => `${sent}&message[]=1&message[a][b]=2&keyword[]=x`),
      ),
      line(
        "survives 2,000 variables",
        survived(CAUGHT),
        query((sent) => `${sent}${"&x=".repeat(2_000)}`),
      ),
    ],
  };
}

async function huge(endpoint: Endpoint, start: Request): Promise<Finding> {
  const next =
    "Refuse a body by its declared length at once, with 413: otherwise your app reads on what a stranger sends.";
  const outcome = await endpoint.ask({ ...start, declaredBytes: HUGE_BYTES }, endpoint.shown, PROMPT_MS);
  if (outcome === "late") return { result: "fails", seen: "waited for all of it", next };
  if (outcome === "closed") return HOLDS;
  if (typeof outcome === "string") return silent(outcome);
  return isAccepted(outcome.status) || outcome.status >= 500 ? { result: "fails", seen: seenIn(outcome), next } : HOLDS;
}

async function stalled(endpoint: Endpoint, start: Request): Promise<Finding> {
  const outcome = await endpoint.ask(start, endpoint.shown, STALLED_MS);
  if (outcome === "late")
    return {
      result: "not proven",
      seen: "no answer within 12 seconds",
      next: "Give bodies a time limit, such as bodyTimeoutMs: such connections pile up otherwise.",
    };
  if (outcome === "closed") return HOLDS;
  if (typeof outcome === "string") return silent(outcome);
  return outcome.status >= 500 ? { result: "fails", seen: seenIn(outcome), next: CAUGHT } : HOLDS;
}
