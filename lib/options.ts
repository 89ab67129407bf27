// The options of `incomingSms`: types, defaults and checks.

import { readAuthentication, type Authentication, type Demanded } from "./access/authentication.js";
import { isAcknowledgement, type Acknowledgement } from "./answer/acknowledgement.js";
import { codedTypeError, invalidOption } from "./base/errors.js";
import type { Logger } from "./base/log.js";
import { hasOnly, isRecord } from "./base/record.js";
import { MAX_TIMER_MS } from "./base/time-limit.js";
import type { Decrypt } from "./callback/decrypt.js";
import { isTableField } from "./callback/fields.js";
import { isCountry } from "./callback/national-number.js";
import type { Escaping } from "./callback/read/json-body.js";
import { isCallbackProfile, type CallbackProfile } from "./callback/template/profile.js";
import type { DescribeFailure } from "./handlers/dispatcher.js";
import type { Method } from "./http/stages.js";
import type { Inbox } from "./inbox/inbox.js";

/**
 * The options of `incomingSms`. An option that is `undefined` counts as not given.
 *
 * @interface
 */
export type IncomingSmsOptions = CommonOptions & (WithProfile | WithoutProfile) & (WithInbox | WithoutInbox);

interface WithProfile {
  /**
   * The Callback Profile in the provider's console, as `callbackProfile` describes it. Bodies are read by its template:
   * no typed text can pass for a field. Default: none. Bodies are then read by the template on the provider's page.
   */
  readonly profile?: CallbackProfile | undefined;
  readonly methods?: undefined;
}

interface WithoutProfile {
  readonly profile?: undefined;
  /** The HTTP methods of callbacks: others are answered 405. Default: `["GET", "POST"]`. A `profile` has its own method. */
  readonly methods?: ReadonlyArray<"GET" | "POST"> | undefined;
}

interface WithInbox {
  /**
   * Stores messages until they are handled. It is the result of `sqliteInbox` of `express-kaleyra-sms/sqlite`,
   * `postgresInbox` of `express-kaleyra-sms/postgres` or `bullmqInbox` of `express-kaleyra-sms/bullmq`, or your own. With
   * an inbox, a callback is acknowledged as soon as it is stored, and failed handlers are retried. Each router needs its
   * own inbox. Default: none. Without an inbox, a callback is answered after it is handled.
   */
  readonly inbox?: Inbox | undefined;
  /** How many messages of the inbox this process handles at once; 0: it only receives callbacks. Default: 16. */
  readonly concurrency?: number | undefined;
  /** Milliseconds that the inbox may take to store a message; then the callback is answered 503. Default: 5,000. */
  readonly storeTimeoutMs?: number | undefined;
  /**
   * Returns the `reason` of a dead letter, from the error that a handler threw. It is kept and shown: keep it free of
   * personal data. Default: none. The reason is then the class of the error and its place, such as
   * `TypeError at /app/orders.js:12:5`. Also if the function throws.
   */
  readonly describeFailure?: ((cause: unknown) => string) | undefined;
  /**
   * Milliseconds for which a message of the inbox may wait before `sms.health()` warns of a backlog. Default: 60,000.
   */
  readonly backlogMs?: number | undefined;
  readonly deduplicate?: undefined;
  readonly acknowledgeFailures?: undefined;
}

interface WithoutInbox {
  readonly inbox?: undefined;
  readonly concurrency?: undefined;
  readonly storeTimeoutMs?: undefined;
  readonly describeFailure?: undefined;
  readonly backlogMs?: undefined;
  /**
   * How handled messages are remembered, so that duplicates are not handled again. They are kept in the memory of this
   * process. `false`: duplicates are handled again. Default: `{ windowMs: 86_400_000, max: 100_000 }`, which is a day.
   */
  readonly deduplicate?:
    | false
    | {
        /** For how many milliseconds. Default: 86,400,000, a day. */
        readonly windowMs?: number | undefined;
        /** How many messages: the oldest is forgotten for a new one. Default: 100,000. */
        readonly max?: number | undefined;
      }
    | undefined;
  /**
   * Whether a callback whose handler failed is answered like a handled one. Default: `false`. It is then answered 500,
   * so that the provider's report shows the failure and the callback can be triggered again.
   */
  readonly acknowledgeFailures?: boolean | undefined;
}

interface CommonOptions {
  /** The path that the router answers when it is not mounted in Express. Default: `"/"`. */
  readonly path?: string | undefined;
  /**
   * Whether the provider escapes the values that it inserts into a body. Default: `"auto"`.
   *
   * - `"none"`: it does not. Every body is matched against the template, which is exact for every text.
   * - `"json"`: it does. Only valid JSON is read.
   * - `"auto"`: unknown. Valid JSON is read as JSON, any other body by the template. An unescaped text that looks escaped
   *   is misread, such as `C:\new`: with it, the body is valid JSON, too.
   */
  readonly escaping?: "auto" | "none" | "json" | undefined;
  /**
   * What a caller must show: one demand, or several. Demands of the same kind and name are alternatives, so that a
   * secret can be rotated without a gap. All others must be met, including every function. `false`: something in front
   * of the app checks callers. Default: none. This causes a process warning, and an error under `NODE_ENV=production`:
   * anyone who knows the URL could opt your customers in and out.
   */
  readonly authenticate?: false | Authentication | readonly Authentication[] | undefined;
  /** The maximum size of a body in bytes, after decompression. Default: 163,840. */
  readonly bodyLimit?: number | undefined;
  /** Milliseconds within which the whole body must arrive. Default: 10,000. */
  readonly bodyTimeoutMs?: number | undefined;
  /** Milliseconds that the handlers of a callback may take. Default: 10,000. */
  readonly handlerTimeoutMs?: number | undefined;
  /**
   * How many callbacks may be in flight at once; more are answered 503. The limit holds for each of these: bodies being
   * read, messages waiting or being handled, callers waiting for functions of `authenticate`, and callers for whom
   * handlers of `unauthorized` run. Among waiting callers, the one that waits longest is answered 503. Default: 1,000.
   */
  readonly maxInFlight?: number | undefined;
  /**
   * The answer to a callback that was handled or stored. `status` is from 200 to 299. Default:
   * `{ status: 200, body: "", headers: {} }`, without a body because some consoles text it back to the subscriber.
   */
  readonly ack?:
    | {
        /** From 200 to 299. Default: 200. */
        readonly status?: number | undefined;
        /** Plain text, unless `headers` say otherwise. Default: empty. */
        readonly body?: string | undefined;
        /** Further headers, without those that the router or Node.js sets. Default: none. */
        readonly headers?: Readonly<Record<string, string>> | undefined;
      }
    | undefined;
  /** Whether the answer to a callback that failed has a body that explains it (RFC 9457). Default: `true`. */
  readonly problems?: boolean | undefined;
  /**
   * The country of numbers that are sent without a country code, as its ISO 3166 code: `"IN"`. If they are mobile
   * numbers of that country, they become E.164. It needs the package `libphonenumber-js`, which you install. Default:
   * none. Numbers without a country code then stay as sent.
   */
  readonly defaultCountry?: string | undefined;
  /**
   * The IANA name of the time zone of `timestamp`, such as `"Asia/Kolkata"`: it adds `triggeredAt` to messages. Default:
   * none.
   */
  readonly timeZone?: string | undefined;
  /**
   * Your own JSON Schema (2020-12) for `message.fields`, whose values are strings. Fields must match both it and the
   * package's schema. Default: none.
   */
  readonly schema?: object | undefined;
  /**
   * Returns the text of a value that is encrypted, or encoded once more. It is called before validation, for every field
   * that is sent with a value, whatever its name. If it throws or does not return a string, the callback is rejected as
   * `undecryptable`. Default: none.
   */
  readonly decrypt?: ((value: string, field: string) => string) | undefined;
  /**
   * Gets a line for each `invalid`, `unauthorized`, `busy` or `error` event without a handler. If it has a method `info`,
   * it also gets one about the first valid callback. Default: `console`.
   */
  readonly logger?: Logger | undefined;
}

/** The checked options, with their defaults. */
export interface Settings {
  /** Without a slash at the end. */
  readonly path: string;
  readonly methods: readonly Method[];
  readonly profile: CallbackProfile | undefined;
  readonly escaping: Escaping;
  /** `undefined` if the option is not given. */
  readonly authenticate: Demanded | false | undefined;
  readonly bodyLimit: number;
  readonly bodyTimeoutMs: number;
  readonly handlerTimeoutMs: number;
  readonly maxInFlight: number;
  readonly ack: Acknowledgement;
  readonly problems: boolean;
  readonly acknowledgeFailures: boolean;
  readonly deduplicate: false | { readonly windowMs: number; readonly max: number };
  readonly inbox: Inbox | undefined;
  readonly concurrency: number;
  readonly storeTimeoutMs: number;
  readonly describeFailure: DescribeFailure | undefined;
  readonly backlogMs: number;
  readonly defaultCountry: string | undefined;
  readonly timeZone: string | undefined;
  readonly schema: object | undefined;
  readonly decrypt: Decrypt | undefined;
  readonly logger: Logger;
}

/** Without TypeScript, options that exclude each other may be given together. */
type Given = { readonly [Name in keyof IncomingSmsOptions]?: IncomingSmsOptions[Name] };

type Name = keyof IncomingSmsOptions;

interface Option {
  /** Completes the sentence "options.name takes ...". */
  readonly takes: string;
  readonly accepts: (value: unknown) => boolean;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
const milliseconds: Option = {
  takes: `a whole number of milliseconds from 1 to ${MAX_TIMER_MS}`,
  accepts: (value) => isCount(value) && (value as number) <= MAX_TIMER_MS,
};
const bool: Option = { takes: "true or false", accepts: (value) => typeof value === "boolean" };
const count = (of: string): Option => ({ takes: `a whole number of ${of}, at least 1`, accepts: isCount });
const optional = (check: (value: unknown) => boolean) => (value: unknown) => value === undefined || check(value);

const OPTIONS: Readonly<Record<Name, Option>> = {
  path: {
    takes:
      'a path that begins with "/", as in a request: without "?" and "#", with non-ASCII characters percent-encoded',
    accepts: (value) => typeof value === "string" && /^\/[!-~]*$/.test(value) && !/[?#]/.test(value),
  },
  methods: {
    takes: 'an array of "GET", "POST" or both',
    accepts: (value) =>
      Array.isArray(value) && value.length > 0 && value.every((one) => one === "GET" || one === "POST"),
  },
  profile: { takes: "the result of callbackProfile()", accepts: isCallbackProfile },
  escaping: {
    takes: '"auto", "none" or "json"',
    accepts: (value) => value === "auto" || value === "none" || value === "json",
  },
  // readAuthentication checks it, with a more exact message.
  authenticate: { takes: "false, a demand or an array of demands", accepts: () => true },
  bodyLimit: count("bytes"),
  bodyTimeoutMs: milliseconds,
  handlerTimeoutMs: milliseconds,
  maxInFlight: count("callbacks"),
  ack: {
    takes:
      "{ status?: 200 to 299, body?: a string, empty for 204 and 205, " +
      "headers?: a record of strings, without headers that the router sets }",
    accepts: isAcknowledgement,
  },
  problems: bool,
  acknowledgeFailures: bool,
  deduplicate: {
    takes: "false, or { windowMs?: milliseconds, max?: a number of messages }, whole numbers of at least 1",
    accepts: (value) =>
      value === false || (hasOnly(value, ["windowMs", "max"]) && Object.values(value).every(optional(isCount))),
  },
  inbox: {
    // Its methods are checked separately, to say which is missing.
    takes:
      "the result of sqliteInbox(), postgresInbox() or bullmqInbox(), " +
      "or your own inbox with store, start and close",
    accepts: isRecord,
  },
  concurrency: {
    takes: "a whole number of messages, at least 0",
    accepts: (value) => value === 0 || isCount(value),
  },
  storeTimeoutMs: milliseconds,
  describeFailure: { takes: "a function (cause) => string", accepts: (value) => typeof value === "function" },
  backlogMs: milliseconds,
  defaultCountry: {
    takes: 'the two-letter code of a country (ISO 3166) in capitals, such as "IN"',
    accepts: isCountry,
  },
  timeZone: { takes: 'the IANA name of a time zone, such as "Asia/Kolkata"', accepts: isTimeZone },
  schema: { takes: "a JSON Schema, an object", accepts: isRecord },
  decrypt: { takes: "a function (value, field) => string", accepts: (value) => typeof value === "function" },
  logger: {
    takes: "an object with the methods warn and error",
    accepts: (value) => isRecord(value) && typeof value.warn === "function" && typeof value.error === "function",
  },
};

/** @throws TypeError if an option is unknown or has an invalid value; the message names the option and what it takes */
export function readOptions(options: IncomingSmsOptions): Settings {
  const given: unknown = options;
  if (!isRecord(given)) throw invalidOption("incomingSms takes an object of options, or nothing.");
  if (isRequest(given))
    throw invalidOption(
      "incomingSms was mounted without being called: it got a request in place of options. " +
        'Write app.use("/sms", incomingSms()).',
    );
  for (const name of Object.keys(given)) {
    if (!isName(name)) throw invalidOption(`options.${name} is not an option. ${suggestion(name)}`);
  }
  // Each option is read only once, including inherited ones, so that the checked value is the one in use.
  const checked: Partial<Record<Name, unknown>> = {};
  for (const [name, { takes, accepts }] of Object.entries(OPTIONS) as Array<[Name, Option]>) {
    const value = given[name];
    if (value !== undefined && !accepts(value)) throw invalidOption(`options.${name} takes ${takes}.`);
    checked[name] = value;
  }
  return complete(checked as Given);
}

function complete(options: Given): Settings {
  const { profile } = options;
  if (profile !== undefined && options.methods !== undefined)
    throw invalidOption(
      "options.methods and options.profile exclude each other: leave out options.methods, the profile has its method.",
    );
  assertInboxOptions(options);
  return {
    path: (options.path ?? "/").replace(/\/+$/, ""),
    methods: profile === undefined ? [...(options.methods ?? (["GET", "POST"] as const))] : [profile.method],
    profile,
    escaping: options.escaping ?? "auto",
    authenticate: readAuthenticate(options.authenticate),
    bodyLimit: options.bodyLimit ?? 163_840,
    bodyTimeoutMs: options.bodyTimeoutMs ?? 10_000,
    handlerTimeoutMs: options.handlerTimeoutMs ?? 10_000,
    maxInFlight: options.maxInFlight ?? 1_000,
    ack: { status: options.ack?.status ?? 200, body: options.ack?.body ?? "", headers: options.ack?.headers ?? {} },
    problems: options.problems ?? true,
    acknowledgeFailures: options.acknowledgeFailures ?? false,
    deduplicate: options.deduplicate !== false && {
      windowMs: options.deduplicate?.windowMs ?? 86_400_000,
      max: options.deduplicate?.max ?? 100_000,
    },
    inbox: options.inbox,
    concurrency: options.concurrency ?? 16,
    storeTimeoutMs: options.storeTimeoutMs ?? 5_000,
    describeFailure: options.describeFailure,
    backlogMs: options.backlogMs ?? 60_000,
    defaultCountry: options.defaultCountry,
    timeZone: options.timeZone,
    schema: options.schema,
    decrypt: options.decrypt,
    logger: options.logger ?? console,
  };
}

/** The options that need an inbox. */
const ONLY_WITH_INBOX = ["concurrency", "storeTimeoutMs", "describeFailure", "backlogMs"] as const;
/** The options that an inbox excludes, and why. */
const ONLY_WITHOUT_INBOX = {
  deduplicate: "the inbox recognizes duplicates during its retentionMs",
  acknowledgeFailures: "a callback is answered when it is stored, before its handlers run",
} as const;

function assertInboxOptions(options: Given): void {
  const { inbox } = options;
  if (inbox === undefined) {
    const misplaced = ONLY_WITH_INBOX.find((name) => options[name] !== undefined);
    if (misplaced !== undefined) throw invalidOption(`options.${misplaced} goes with options.inbox.`);
    return;
  }
  // The methods that the router calls.
  const missing = (["store", "start", "close"] as const).filter((method) => typeof inbox[method] !== "function");
  if (missing.length > 0)
    throw invalidOption(
      `options.inbox takes ${OPTIONS.inbox.takes}: this one has no ${missing.join(", ")}. ` +
        "A copy of an instance by { ...inbox } has none of its class's methods.",
    );
  for (const [name, reason] of Object.entries(ONLY_WITHOUT_INBOX) as Array<[keyof typeof ONLY_WITHOUT_INBOX, string]>) {
    if (options[name] !== undefined) throw invalidOption(`options.${name} goes without options.inbox: ${reason}.`);
  }
}

function readAuthenticate(given: IncomingSmsOptions["authenticate"]): Settings["authenticate"] {
  if (given === undefined && process.env.NODE_ENV === "production") throw missingAuthentication();
  return given === undefined || given === false
    ? given
    : readAuthentication(given, (name) => name === "to" || isTableField(name));
}

function missingAuthentication(): TypeError {
  return codedTypeError("KALEYRA_SMS_NO_AUTHENTICATION", {
    message:
      "incomingSms needs options.authenticate under NODE_ENV=production: " +
      "anyone who knows the URL could opt your customers in and out. " +
      "Add a secret to the Callback Profile as a custom HTTP header, and set " +
      'authenticate: { header: "X-Callback-Token", value: process.env.CALLBACK_TOKEN }. ' +
      "If something in front of the app checks callers, set authenticate: false.",
  });
}

/** A request of Node.js, Express or the Fetch API. */
function isRequest({ method, url, headers }: Readonly<Record<string, unknown>>): boolean {
  return typeof method === "string" && typeof url === "string" && headers !== undefined;
}

function isName(name: string): name is Name {
  return Object.hasOwn(OPTIONS, name);
}

function suggestion(name: string): string {
  const names = Object.keys(OPTIONS);
  const start = name.toLowerCase().slice(0, 4);
  const near = names.find((one) => one.toLowerCase().startsWith(start));
  return near === undefined ? `The options are ${names.join(", ")}.` : `Did you mean ${near}?`;
}

function isTimeZone(value: unknown): boolean {
  if (typeof value !== "string") return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: value });
    return true;
  } catch {
    return false;
  }
}
