// What a callback shows of its caller: which headers or variables may hold a secret to demand.

import { headerOf } from "../../provider/as-callback.js";
import type { SavedCallback } from "../../provider/saved-callback.js";
import { holdsNumber, type Finding } from "./finding.js";
import { ownHeaders, ownVariables } from "./kept.js";

/** The demands to choose from, as comments for the code: which of them is a secret, only the user knows. */
export function callersOf(callback: SavedCallback): {
  readonly findings: readonly Finding[];
  readonly comments: readonly string[];
} {
  const variables = ownVariables(callback).filter((name) => /^[\w.-]{1,40}$/.test(name) && !holdsNumber(name));
  const demands = [...ownHeaders(callback).map((name) => demandOf(name, callback)), ...variables.map(byQuery)];
  const about = "who calls";
  if (demands.length === 0)
    return {
      findings: [
        {
          about,
          state: "to do",
          says: "Nothing that came can be a secret: add a custom HTTP header in the console, and demand it.",
        },
      ],
      comments: ['authenticate: { header: "X-Callback-Token", value: process.env.CALLBACK_TOKEN }, once it comes'],
    };
  return {
    findings: [
      { about, state: "not proven", says: `Which is your secret: ${demands.map(({ name }) => name).join(", ")}` },
    ],
    comments: demands.map(({ code }) => `authenticate: ${code}, if that is your secret`),
  };
}

interface Demand {
  readonly name: string;
  readonly code: string;
}

function demandOf(name: string, { headers }: SavedCallback): Demand {
  if (name.toLowerCase() !== "authorization")
    return { name, code: `{ header: "${name}", value: process.env.CALLBACK_TOKEN }` };
  if (/^basic /i.test(headerOf(headers, "authorization") ?? ""))
    return {
      name: "Basic authentication",
      code: "{ basic: { username: process.env.CALLBACK_USER, password: process.env.CALLBACK_PASSWORD } }",
    };
  return { name: "a bearer token", code: "{ bearer: process.env.CALLBACK_TOKEN }" };
}

function byQuery(name: string): Demand {
  return { name: `the variable ${name}`, code: `{ query: "${name}", value: process.env.CALLBACK_TOKEN }` };
}
