// Lines of `check` about what is no incoming SMS, and must be refused.

import type { Callbacks } from "./callbacks.js";
import { without } from "./callbacks.js";
import { HOLDS, judge, line, refused, seenIn, silent, type Group, type Line } from "./line.js";

const NOT_AN_SMS = "Refuse it with 400: it carries no SMS, and its sender should see that in the report.";
const NOT_A_REPORT = "Accept no status but SENT: a report on a message that you sent is no incoming SMS.";
const ONE_VALUE = "Refuse a field that comes twice: which one counts differs from parser to parser.";
const REQUIRED = ["id", "source", "recipient", "message"] as const;

export function refusingPosts(callbacks: Callbacks): Group {
  const json = (change: (fields: Readonly<Record<string, string>>) => object) => () =>
    callbacks.postFrom((fields) => JSON.stringify(change(fields), undefined, 1));
  const body = (text: string) => () => callbacks.postFrom(() => text);
  const required = REQUIRED.filter((name) => callbacks.requests(name));
  const statuses: Line[] = [
    line(
      "refuses a delivery report",
      refused(NOT_A_REPORT),
      json((fields) => ({ ...fields, status: "DELIVRD" })),
    ),
  ];
  return {
    title: "What is no SMS, by POST",
    lines: [
      line("refuses an empty body", refused(NOT_AN_SMS), body("")),
      line("refuses {}", refused(NOT_AN_SMS), body("{}")),
      line(
        "refuses a template whose variables were not replaced",
        refused(`${NOT_AN_SMS} A console's test sends <id> for id.`),
        () =>
          callbacks.postFrom((fields) =>
            JSON.stringify(Object.fromEntries(Object.keys(fields).map((name) => [name, `<${name}>`]))),
          ),
      ),
      ...required.map((name) =>
        line(
          `refuses a callback without ${name}`,
          refused(`Check that ${name} is there before anything is done with a callback.`),
          json((fields) => without(fields, name)),
        ),
      ),
      ...(callbacks.requests("status") ? statuses : []),
      line(
        "refuses an object or a list in place of a text",
        refused("Check that each field is a text: an object from a stranger reaches your database otherwise."),
        ...required.flatMap((name) => [
          json((fields) => ({ ...fields, [name]: { $ne: "" } })),
          json((fields) => ({ ...fields, [name]: ["a", "b"] })),
        ]),
      ),
      line("refuses JSON that has a field twice, with two values", refused(ONE_VALUE), () =>
        callbacks.postFrom((_fields, body) => body.replace(/\}$/, `,"${required[0] ?? "source"}":"another"}`)),
      ),
      line("refuses a form that has a field twice, with two values", refused(ONE_VALUE), () =>
        callbacks.postForm(`&${required[0] ?? "source"}=another`),
      ),
      line("refuses XML", refused("Refuse it with 415, and choose JSON in the console."), () =>
        callbacks.postFrom(() => '<?xml version="1.0"?><sms><id>1</id></sms>', { "Content-Type": "application/xml" }),
      ),
    ],
  };
}

/** Lines for an endpoint that takes GET: it may read a query by other code than a body. */
export function refusingGets(callbacks: Callbacks): Group {
  const query = (change: (pairs: readonly string[]) => readonly string[]) => () =>
    callbacks.get(undefined, (sent) => change(sent.split("&")).join("&"));
  const nameOf = (pair: string): string => pair.split("=", 1)[0] ?? "";
  const required = REQUIRED.filter((name) => name !== "message" && callbacks.requests(name));
  return {
    title: "What is no SMS, by GET",
    lines: [
      line(
        "refuses a query without variables",
        refused(`${NOT_AN_SMS} A redirect makes such a GET of a POST.`),
        () => ({ method: "GET" }),
      ),
      line(
        "refuses a query whose variables were not replaced",
        refused(`${NOT_AN_SMS} A console's test sends <id> for id.`),
        query((pairs) => pairs.map((pair) => `${nameOf(pair)}=<${nameOf(pair)}>`)),
      ),
      ...required.map((name) =>
        line(
          `refuses a query without ${name}`,
          refused(`Check that ${name} is there before anything is done with a callback.`),
          query((pairs) => pairs.filter((pair) => nameOf(pair) !== name)),
        ),
      ),
      line(
        "refuses a query that has a field twice, with two values",
        refused(ONE_VALUE),
        query((pairs) => [...pairs, `${required[0] ?? "source"}=another`]),
      ),
      line(
        "refuses a delivery report in a query",
        refused(NOT_A_REPORT),
        query((pairs) => [...pairs.filter((pair) => nameOf(pair) !== "status"), "status=DELIVRD"]),
      ),
    ],
  };
}

/** Lines about methods, for every endpoint. */
export function methods(): Group {
  const allow = "Answer 405 with Allow to other methods, so that a wrong one in the console is seen to be that.";
  return {
    title: "Other methods",
    lines: [
      line(
        "answers HEAD with 200",
        judge((status) => status === 200, "Answer HEAD with 200: consoles and monitors send it."),
        () => ({
          method: "HEAD",
        }),
      ),
      {
        name: "answers PUT with 405, and says which methods it takes",
        ask: async (endpoint) => {
          const outcome = await endpoint.ask({ method: "PUT", body: "" });
          if (typeof outcome === "string") return silent(outcome);
          if (outcome.status !== 405) return { result: "fails", seen: seenIn(outcome), next: allow };
          if (outcome.headers.allow === undefined)
            return { result: "fails", seen: "answered 405 without Allow", next: allow };
          return HOLDS;
        },
      },
    ],
  };
}
