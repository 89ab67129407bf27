// The demands on a caller: checks each one, and gives the reason if it is not met.

import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

import type { Log } from "../base/log.js";
import { decode, unquoted, valuesOf } from "../base/query-string.js";
import { nameOf } from "../base/thrown.js";
import { addressOf, createIsAllowed, isOfUnknownProxy, trustsEveryProxy, withoutPort } from "./address.js";
import type { Demanded } from "./authentication.js";
import { credentialsOf, headersOf } from "./headers.js";
import { createIsOneOf } from "./secret.js";
import type { UnauthorizedCode } from "./unauthorized.js";
import { WebCaller } from "./web-caller.js";

/** The sender of a request. */
export interface Caller {
  readonly req: IncomingMessage | WebCaller;
  /** The query of the URL, exactly as sent. */
  readonly query: string;
}

/** Why a caller does not meet a demand. */
export interface Failure {
  readonly code: UnauthorizedCode;
  /** A sentence, without anything that the caller sent. */
  readonly reason: string;
}

/** `undefined` if the caller meets the demand. */
type Unmet = Failure | undefined;

export interface Demand {
  /** The scheme to challenge a caller with (401). `undefined`: the answer is 403. */
  readonly scheme?: Scheme;
  readonly unmet: (caller: Caller) => Unmet;
}

/** A demand that the user's functions check. Asked only if all other demands are met. */
export interface Question {
  readonly scheme?: Scheme;
  /** Does not reject. */
  readonly ask: (caller: Caller) => Promise<Unmet>;
}

/** The authentication schemes that a 401 can name. */
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
      ask: ({ req }) =>
        answerOf("The function of options.authenticate", check, req instanceof WebCaller ? req.request : req),
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
  /** Also accepts a secret that was pasted into the endpoint with its plus signs unescaped. */
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

/** @param hasChecks - whether the user's functions check tokens, too; then any token passes here */
function bearerDemand(tokens: readonly string[], hasChecks: boolean): Demand {
  const isRight = hasChecks ? () => true : createIsOneOf(tokens);
  return {
    scheme: "Bearer",
    unmet: ({ req }) => unmetSecret("The Bearer authorization", credentialsOf(req, "Bearer"), isRight),
  };
}

/** Met if one of the tokens matches, or one of the functions accepts the token. */
function tokenQuestion(tokens: readonly string[], checks: Demanded["tokenChecks"]): Question {
  const isKnown = createIsOneOf(tokens);
  return {
    scheme: "Bearer",
    ask: async ({ req }) => {
      const [token = ""] = credentialsOf(req, "Bearer");
      if (isKnown(token)) return undefined;
      const subject = "The function that checks Bearer tokens";
      const answers = await Promise.all(checks.map((check) => answerOf(subject, check, token)));
      return answers.includes(undefined) ? undefined : answers[0];
    },
  };
}

function addressDemand(ranges: readonly string[], log: Log): Demand {
  const isAllowed = createIsAllowed(ranges);
  return {
    unmet: ({ req }) => {
      if (trustsEveryProxy(req)) log.advise("KALEYRA_SMS_TRUST_PROXY");
      const written = addressOf(req);
      if (written === undefined && req instanceof WebCaller) {
        log.advise("KALEYRA_SMS_NO_ADDRESS");
        return { code: "no-address", reason: "The request has no address." };
      }
      const address = withoutPort(written ?? "");
      if (isIP(address) === 0) return { code: "no-address", reason: "The caller's address is not an IP address." };
      if (isAllowed(address)) return undefined;
      if (isOfUnknownProxy(req)) log.advise("KALEYRA_SMS_PROXY_ADDRESS");
      return { code: "address", reason: "The caller's address is not allowed." };
    },
  };
}

async function answerOf<Input>(subject: string, check: (input: Input) => unknown, input: Input): Promise<Unmet> {
  try {
    if ((await check(input)) === true) return undefined;
    return { code: "refused", reason: `${subject} did not return true.` };
  } catch (error) {
    return { code: "threw", reason: `${subject} failed: ${nameOf(error)}.` };
  }
}

function unmetSecret(subject: string, sent: readonly string[], isRight: (sent: string) => boolean): Unmet {
  const [one] = sent;
  if (one === undefined) return { code: "missing", reason: `${subject} is missing.` };
  if (sent.length > 1) return { code: "repeated", reason: `${subject} was sent more than once.` };
  return isRight(one) ? undefined : { code: "wrong", reason: `${subject} does not match.` };
}
