// Each demand on a caller: how it is met, and what is said where it is not.

import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

import type { Log } from "../base/log.js";
import { decode, unquoted, valuesOf } from "../base/query-string.js";
import { nameOf } from "../base/thrown.js";
import { addressOf, createIsAllowed, trustsEveryProxy } from "./address.js";
import type { Demanded } from "./authentication.js";
import { credentialsOf, headersOf } from "./headers.js";
import { createIsOneOf } from "./secret.js";

/** Whoever sent a request. */
export interface Caller {
  readonly req: IncomingMessage;
  /** Of the request's URL, as it was sent. */
  readonly query: string;
}

/** Why a caller does not meet a demand, in a sentence that holds nothing that was sent; `undefined` where it does. */
type Unmet = string | undefined;

export interface Demand {
  /** The scheme to ask a caller for (401); where there is none, the answer is 403. */
  readonly scheme?: Scheme;
  readonly unmet: (caller: Caller) => Unmet;
}

/** What only a function of the user's can tell. It is asked once every demand is met. Does not reject. */
export interface Question {
  readonly scheme?: Scheme;
  readonly ask: (caller: Caller) => Promise<Unmet>;
}

/** Those that a caller can be asked for. */
export type Scheme = "Basic" | "Bearer";

export function demandsOf(demanded: Demanded, log: Log): Demand[] {
  const { headers, variables, basic, tokens, tokenChecks, addresses } = demanded;
  return [
    ...Array.from(headers, ([name, values]) => headerDemand(name, values)),
    ...Array.from(variables, ([name, values]) => variableDemand(name, values)),
    ...(basic.length > 0 ? [basicDemand(basic)] : []),
    ...(tokens.length + tokenChecks.length > 0 ? [bearerDemand(tokens, tokenChecks.length > 0)] : []),
    ...(addresses.length > 0 ? [addressDemand(addresses, log)] : []),
  ];
}

export function questionsOf({ tokens, tokenChecks, checks }: Demanded): Question[] {
  return [
    ...(tokenChecks.length > 0 ? [tokenQuestion(tokens, tokenChecks)] : []),
    ...checks.map((check): Question => ({
      ask: ({ req }) => answerOf("The function of options.authenticate", check, req),
    })),
  ];
}

function headerDemand(name: string, values: readonly string[]): Demand {
  const isRight = createIsOneOf(values);
  return {
    unmet: ({ req }) => unmetSecret(`The header "${name}"`, headersOf(req, name), isRight),
  };
}

function variableDemand(name: string, values: readonly string[]): Demand {
  const isOne = createIsOneOf(values);
  /** As any variable is read; also as it was pasted into the endpoint, where nobody escaped its plus signs. */
  const isRight = (sent: string): boolean => {
    const readings = [decode(sent), decode(sent.replaceAll("+", "%2B"))];
    return [...new Set([...readings, ...readings.map(unquoted)])].map(isOne).includes(true);
  };
  return {
    unmet: ({ query }) => unmetSecret(`The query's variable "${name}"`, valuesOf(query, name), isRight),
  };
}

function basicDemand(accepted: Demanded["basic"]): Demand {
  const isRight = createIsOneOf(
    accepted.map(({ username, password }) => Buffer.from(`${username}:${password}`).toString("base64")),
  );
  return {
    scheme: "Basic",
    unmet: ({ req }) => unmetSecret("The Basic authorization", credentialsOf(req, "Basic"), isRight),
  };
}

/** @param isAsked - whether a function of the user's knows more tokens than these */
function bearerDemand(tokens: readonly string[], isAsked: boolean): Demand {
  const isRight = isAsked ? () => true : createIsOneOf(tokens);
  return {
    scheme: "Bearer",
    unmet: ({ req }) => unmetSecret("The Bearer authorization", credentialsOf(req, "Bearer"), isRight),
  };
}

/** One of several functions is enough, as one of several tokens is. */
function tokenQuestion(tokens: readonly string[], checks: Demanded["tokenChecks"]): Question {
  const isKnown = createIsOneOf(tokens);
  return {
    scheme: "Bearer",
    ask: async ({ req }) => {
      const [token = ""] = credentialsOf(req, "Bearer");
      if (isKnown(token)) return undefined;
      const what = "The function that checks Bearer tokens";
      const answers = await Promise.all(checks.map((check) => answerOf(what, check, token)));
      return answers.includes(undefined) ? undefined : answers[0];
    },
  };
}

function addressDemand(ranges: readonly string[], log: Log): Demand {
  const isAllowed = createIsAllowed(ranges);
  return {
    unmet: ({ req }) => {
      if (trustsEveryProxy(req)) log.advise("KALEYRA_SMS_TRUST_PROXY");
      const address = addressOf(req);
      if (address === undefined || isIP(address) === 0) return "The caller's address is not an IP address.";
      return isAllowed(address) ? undefined : "The caller's address is not allowed.";
    },
  };
}

async function answerOf<Asked>(what: string, check: (asked: Asked) => unknown, asked: Asked): Promise<Unmet> {
  try {
    return (await check(asked)) === true ? undefined : `${what} did not give true.`;
  } catch (error) {
    return `${what} failed: ${nameOf(error)}.`;
  }
}

function unmetSecret(what: string, sent: readonly string[], isRight: (sent: string) => boolean): Unmet {
  const [one] = sent;
  if (one === undefined) return `${what} is missing.`;
  if (sent.length > 1) return `${what} was sent more than once.`;
  return isRight(one) ? undefined : `${what} is not the one that is expected.`;
}
