// Each demand on a caller: how it is met, and what is said where it is not.

import type { IncomingMessage } from "node:http";

import { nameOf, type Log } from "../log.js";
import { decode, pairsOf, unquoted } from "../query-string.js";
import { addressOf, createIsAllowed, trustsEveryProxy } from "./address.js";
import type { CallerCheck, Demanded } from "./authentication.js";
import { credentialsOf, headersOf } from "./headers.js";
import { createIsOneOf } from "./secret.js";

/** Whoever sent a request. */
export interface Caller {
  readonly req: IncomingMessage;
  /** Of the request's URL, as it was sent. */
  readonly query: string;
}

/** Why a caller does not meet a demand, in a sentence that holds nothing that was sent; `undefined` where it does. */
export type Unmet = string | undefined;

export interface Demand {
  /** The scheme to ask a caller for (401); where there is none, the answer is 403. */
  readonly scheme?: "Basic" | "Bearer";
  readonly unmet: (caller: Caller) => Unmet;
  /** What is left to ask a function of the user's, once every `unmet` has found nothing. Does not reject. */
  readonly ask?: (caller: Caller) => Promise<Unmet>;
}

export function demandsOf(demanded: Demanded, log: Log): Demand[] {
  const { headers, variables, basic, tokens, tokenChecks, addresses, checks } = demanded;
  return [
    ...Array.from(headers, ([name, values]) => headerDemand(name, values)),
    ...Array.from(variables, ([name, values]) => variableDemand(name, values)),
    ...(basic.length > 0 ? [basicDemand(basic)] : []),
    ...(tokens.length + tokenChecks.length > 0 ? [bearerDemand(tokens, tokenChecks)] : []),
    ...(addresses.length > 0 ? [addressDemand(addresses, log)] : []),
    ...(checks.length > 0 ? [checkDemand(checks)] : []),
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
    unmet: ({ query }) => {
      const sent = pairsOf(query).flatMap(([one, value]) => (one === name ? [value] : []));
      return unmetSecret(`The query's variable "${name}"`, sent, isRight);
    },
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

function bearerDemand(tokens: readonly string[], checks: Demanded["tokenChecks"]): Demand {
  const what = "The Bearer authorization";
  const isRight = createIsOneOf(tokens);
  if (checks.length === 0) {
    return { scheme: "Bearer", unmet: ({ req }) => unmetSecret(what, credentialsOf(req, "Bearer"), isRight) };
  }
  return {
    scheme: "Bearer",
    unmet: ({ req }) => unmetSecret(what, credentialsOf(req, "Bearer"), () => true),
    ask: async ({ req }) => {
      const [token = ""] = credentialsOf(req, "Bearer");
      return isRight(token) ? undefined : askAll("The function that checks Bearer tokens", checks, token);
    },
  };
}

function addressDemand(ranges: readonly string[], log: Log): Demand {
  const isAllowed = createIsAllowed(ranges);
  return {
    unmet: ({ req }) => {
      if (trustsEveryProxy(req)) adviseOnTrustProxy(log);
      const address = addressOf(req);
      if (address === undefined) return "The caller's address is not known.";
      return isAllowed(address) ? undefined : "The caller's address is not allowed.";
    },
  };
}

function adviseOnTrustProxy(log: Log): void {
  log.advise(
    "KALEYRA_SMS_TRUST_PROXY",
    'With "trust proxy" set to true, callers choose the address that options.authenticate compares with allow: it is what they put into X-Forwarded-For. ' +
      'Set "trust proxy" to the number of proxies in front of the app, or to their addresses.',
  );
}

function checkDemand(checks: readonly CallerCheck[]): Demand {
  return { unmet: () => undefined, ask: ({ req }) => askAll("The function of options.authenticate", checks, req) };
}

/** Asks all at once: one that says `true` is enough. */
async function askAll<Asked>(
  what: string,
  checks: ReadonlyArray<(asked: Asked) => unknown>,
  asked: Asked,
): Promise<Unmet> {
  const answers = await Promise.all(
    checks.map(async (check): Promise<Unmet> => {
      try {
        return (await check(asked)) === true ? undefined : `${what} did not give true.`;
      } catch (error) {
        return `${what} failed: ${nameOf(error)}.`;
      }
    }),
  );
  return answers.includes(undefined) ? undefined : answers[0];
}

function unmetSecret(what: string, sent: readonly string[], isRight: (sent: string) => boolean): Unmet {
  const [one] = sent;
  if (one === undefined) return `${what} is missing.`;
  if (sent.length > 1) return `${what} was sent more than once.`;
  return isRight(one) ? undefined : `${what} is not the one that is expected.`;
}
