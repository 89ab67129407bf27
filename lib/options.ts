// Every option: its type, its default, its check.

import { readAuthentication, type Authentication, type Demanded } from "./access/authentication.js";
import { isAcknowledgement, type Acknowledgement } from "./answer/acknowledgement.js";
import { codedTypeError, invalidOption } from "./base/errors.js";
import type { Logger } from "./base/log.js";
import { hasOnly, isRecord } from "./base/record.js";
import type { Decrypt } from "./callback/decrypt.js";
import { isTableField } from "./callback/fields.js";
import type { Escaping } from "./callback/read/json-body.js";
import { CallbackProfile } from "./callback/template/profile.js";
import type { Method } from "./http/listener.js";
import type { Inbox } from "./inbox/inbox.js";

/** The options of `incomingSms`. Every one has a default; one given as `undefined` is not given. */
export interface IncomingSmsOptions {
  /** The path that is answered where there is no Express to mount at. Default: `/`. */
  readonly path?: string | undefined;
  /** The methods that callbacks come by. Default: both; with a `profile`, its method. */
  readonly methods?: ReadonlyArray<"GET" | "POST"> | undefined;
  /**
   * The Callback Profile that the console holds, from `callbackProfile`. A body is read by its template, so that nothing that is typed can
   * pass for a field. Default: none, the template of the provider's page is assumed.
   */
  readonly profile?: CallbackProfile | undefined;
  /**
   * Whether the provider escapes what it substitutes into a body. `none`: it does not, a body is always matched against the template, which is
   * exact for every text. `json`: it does, only proper JSON is read. Default: `auto`, proper JSON is read as JSON and all else by the
   * template; what cannot be told apart is a backslash before a letter: `C:\new` that was not escaped is proper JSON too.
   */
  readonly escaping?: Escaping | undefined;
  /**
   * What a caller must show, one demand or several. Those of one kind and one name are alternatives, so that a secret can be changed without
   * a gap; all others must hold, every function among them. `false`: something in front of the app checks who calls. Default: none, which is warned of, and under
   * `NODE_ENV=production` an error: whoever knows the URL could opt your customers in and out.
   */
  readonly authenticate?: false | Authentication | readonly Authentication[] | undefined;
  /** Bytes that a body may have, counted after inflating. Default: 163,840. */
  readonly bodyLimit?: number | undefined;
  /** Milliseconds in which a body must arrive whole. Default: 10,000. */
  readonly bodyTimeoutMs?: number | undefined;
  /** Milliseconds that the handlers of a callback may take. Default: 10,000. */
  readonly handlerTimeoutMs?: number | undefined;
  /**
   * How many bodies may be read at once, how many messages may wait or be handled, how many callers may wait for functions of `authenticate`, and for how
   * many handlers of `unauthorized` may run: more are answered 503. Of callers that wait, the one that waits longest is. Default: 1,000 each.
   */
  readonly maxInFlight?: number | undefined;
  /**
   * The answer to a callback that was handled. Default: 200 without a body, because some consoles text the body back to the
   * subscriber. `status` is a 2xx.
   */
  readonly ack?: Partial<Acknowledgement> | undefined;
  /** Whether a failure is explained in the answer's body (RFC 9457). Default: `true`. */
  readonly problems?: boolean | undefined;
  /**
   * Whether the provider is told that a handler failed, so that its report shows it and the callback can be triggered again (`fail`), or
   * gets the answer of a handled one (`acknowledge`). Default: `fail`.
   */
  readonly onHandlerError?: "fail" | "acknowledge" | undefined;
  /**
   * How long (`windowMs`, default 86,400,000: a day) and how many (`max`, default 100,000) handled messages are remembered, in the memory
   * of this process, so that a repeat is not handled again. `false`: repeats are handled again.
   */
  readonly deduplicate?:
    false | { readonly windowMs?: number | undefined; readonly max?: number | undefined } | undefined;
  /**
   * Where messages are kept from their answer until they are handled: `sqliteInbox` of `express-kaleyra-sms/sqlite`, `bullmqInbox` of
   * `express-kaleyra-sms/bullmq`, or one of your own. A callback is then answered when it is stored, and its handlers are retried. One
   * inbox is for one router. Default: none, a callback is answered when it is handled.
   */
  readonly inbox?: Inbox | undefined;
  /** How many messages of the inbox this process handles at once. 0: it only receives. Default: 16. */
  readonly concurrency?: number | undefined;
  /** Milliseconds that the inbox may take to store a message; after that the callback is answered 503. Default: 5,000. */
  readonly storeTimeoutMs?: number | undefined;
  /** The country code, without `+`, of numbers that come as 10 digits: `"91"`. Default: none, they stay as they were sent. */
  readonly defaultCountryCode?: string | undefined;
  /** The IANA name of the zone that `timestamp` is in: `"Asia/Kolkata"`. It gives messages their `triggeredAt`. Default: none. */
  readonly timeZone?: string | undefined;
  /** A JSON Schema (2020-12) of your own over `message.fields`, each a string; it must hold beside the package's own. Default: none. */
  readonly schema?: object | undefined;
  /**
   * Gives the text of a value that the provider encrypted; called for every field that is sent, whatever its name, before it is checked. Where it
   * throws, or gives no string, the callback is refused as `undecryptable`. Default: none.
   */
  readonly decrypt?: Decrypt | undefined;
  /** Where a line goes for an `invalid`, an `unauthorized` or an `error` that no handler hears. Default: `console`. */
  readonly logger?: Logger | undefined;
}

/** The options, checked and complete. */
export interface Settings {
  /** Without a slash at its end. */
  readonly path: string;
  readonly methods: readonly Method[];
  readonly profile: CallbackProfile | undefined;
  readonly escaping: Escaping;
  /** `undefined` where nobody has thought of it. */
  readonly authenticate: Demanded | false | undefined;
  readonly bodyLimit: number;
  readonly bodyTimeoutMs: number;
  readonly handlerTimeoutMs: number;
  readonly maxInFlight: number;
  readonly ack: Acknowledgement;
  readonly problems: boolean;
  readonly onHandlerError: "fail" | "acknowledge";
  readonly deduplicate: false | { readonly windowMs: number; readonly max: number };
  readonly inbox: Inbox | undefined;
  readonly concurrency: number;
  readonly storeTimeoutMs: number;
  readonly defaultCountryCode: string | undefined;
  readonly timeZone: string | undefined;
  readonly schema: object | undefined;
  readonly decrypt: Decrypt | undefined;
  readonly logger: Logger;
}

type Name = keyof IncomingSmsOptions;

interface Option {
  /** Completes the sentence "options.x takes ...". */
  readonly takes: string;
  readonly accepts: (value: unknown) => boolean;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
const milliseconds: Option = {
  takes: `a whole number of milliseconds from 1 to ${LONGEST_TIMER_MS}`,
  accepts: (value) => isCount(value) && (value as number) <= LONGEST_TIMER_MS,
};
const count = (of: string): Option => ({ takes: `a whole number of ${of}, at least 1`, accepts: isCount });
const optional = (check: (value: unknown) => boolean) => (value: unknown) => value === undefined || check(value);

const OPTIONS: Readonly<Record<Name, Option>> = {
  path: {
    takes:
      'a path that begins with "/", as it stands in a request: without "?" and "#", and what is not ASCII percent-encoded',
    accepts: (value) => typeof value === "string" && /^\/[!-~]*$/.test(value) && !/[?#]/.test(value),
  },
  methods: {
    takes: 'an array of "GET", "POST" or both',
    accepts: (value) =>
      Array.isArray(value) && value.length > 0 && value.every((one) => one === "GET" || one === "POST"),
  },
  profile: { takes: "what callbackProfile() gives", accepts: (value) => value instanceof CallbackProfile },
  escaping: {
    takes: '"auto", "none" or "json"',
    accepts: (value) => value === "auto" || value === "none" || value === "json",
  },
  // What exactly is wrong with one, its room says better.
  authenticate: { takes: "false, or what a caller must show", accepts: () => true },
  bodyLimit: count("bytes"),
  bodyTimeoutMs: milliseconds,
  handlerTimeoutMs: milliseconds,
  maxInFlight: count("callbacks"),
  ack: {
    takes:
      "{ status?: 200 to 299, body?: a string, empty under 204 and 205, headers?: a record of strings without those that the router sets }",
    accepts: isAcknowledgement,
  },
  problems: { takes: "true or false", accepts: (value) => typeof value === "boolean" },
  onHandlerError: { takes: '"fail" or "acknowledge"', accepts: (value) => value === "fail" || value === "acknowledge" },
  deduplicate: {
    takes: "false, or { windowMs?: milliseconds, max?: a number of messages }, whole numbers of at least 1",
    accepts: (value) =>
      value === false || (hasOnly(value, ["windowMs", "max"]) && Object.values(value).every(optional(isCount))),
  },
  inbox: {
    // Which method is missing is said below.
    takes: "what sqliteInbox() or bullmqInbox() gives, or an inbox of your own, with store, start and close",
    accepts: isRecord,
  },
  concurrency: {
    takes: "a whole number of messages, at least 0",
    accepts: (value) => value === 0 || isCount(value),
  },
  storeTimeoutMs: milliseconds,
  defaultCountryCode: {
    takes: 'a country code without "+", such as "91"',
    accepts: (value) => typeof value === "string" && /^[1-9]\d{0,2}$/.test(value),
  },
  timeZone: { takes: 'the IANA name of a time zone, such as "Asia/Kolkata"', accepts: isTimeZone },
  schema: { takes: "a JSON Schema, an object", accepts: isRecord },
  decrypt: { takes: "a function (value, field) => string", accepts: (value) => typeof value === "function" },
  logger: {
    takes: "an object with the methods warn and error",
    accepts: (value) => isRecord(value) && typeof value.warn === "function" && typeof value.error === "function",
  },
};

/** @throws TypeError where an option is unknown, or takes another value; it names the option and what it takes */
export function readOptions(options: IncomingSmsOptions): Settings {
  const given: unknown = options;
  if (!isRecord(given)) throw invalidOption("incomingSms takes an object of options, or nothing.");
  for (const name of Object.keys(given)) {
    if (!isName(name)) throw invalidOption(`options.${name} is not an option. ${suggestion(name)}`);
  }
  // Read once, also what is inherited: what was checked is what is used.
  const checked: Partial<Record<Name, unknown>> = {};
  for (const [name, { takes, accepts }] of Object.entries(OPTIONS) as Array<[Name, Option]>) {
    const value = given[name];
    if (value !== undefined && !accepts(value)) throw invalidOption(`options.${name} takes ${takes}.`);
    checked[name] = value;
  }
  return complete(checked as IncomingSmsOptions);
}

function complete(options: IncomingSmsOptions): Settings {
  const { profile } = options;
  if (profile !== undefined && options.methods !== undefined)
    throw invalidOption(
      "options.methods says what options.profile says already: leave it out, the profile has one method.",
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
    onHandlerError: options.onHandlerError ?? "fail",
    deduplicate: options.deduplicate !== false && {
      windowMs: options.deduplicate?.windowMs ?? 86_400_000,
      max: options.deduplicate?.max ?? 100_000,
    },
    inbox: options.inbox,
    concurrency: options.concurrency ?? 16,
    storeTimeoutMs: options.storeTimeoutMs ?? 5_000,
    defaultCountryCode: options.defaultCountryCode,
    timeZone: options.timeZone,
    schema: options.schema,
    decrypt: options.decrypt,
    logger: options.logger ?? console,
  };
}

function assertInboxOptions({ inbox, deduplicate, concurrency, storeTimeoutMs }: IncomingSmsOptions): void {
  if (inbox !== undefined) {
    // Those that the router calls.
    const missing = (["store", "start", "close"] as const).filter((method) => typeof inbox[method] !== "function");
    if (missing.length > 0)
      throw invalidOption(
        `options.inbox takes ${OPTIONS.inbox.takes}: this one has no ${missing.join(", ")}. A copy of an instance by { ...inbox } has none of its class's methods.`,
      );
    if (deduplicate === undefined) return;
    throw invalidOption(
      "options.deduplicate goes without options.inbox: the inbox tells repeats for as long as its retentionMs.",
    );
  }
  const needless = Object.entries({ concurrency, storeTimeoutMs }).find(([, value]) => value !== undefined);
  if (needless !== undefined) throw invalidOption(`options.${needless[0]} goes with options.inbox.`);
}

function readAuthenticate(given: IncomingSmsOptions["authenticate"]): Settings["authenticate"] {
  if (given === undefined && process.env.NODE_ENV === "production") throw nobodyIsAsked();
  return given === undefined || given === false
    ? given
    : readAuthentication(given, (name) => name === "to" || isTableField(name));
}

function nobodyIsAsked(): TypeError {
  return codedTypeError("KALEYRA_SMS_NO_AUTHENTICATION", {
    message:
      "incomingSms needs options.authenticate under NODE_ENV=production: anyone who knows the URL could opt your customers in and out. " +
      "Add a secret to the Callback Profile as a custom HTTP header, and set " +
      'authenticate: { header: "X-Callback-Token", value: process.env.CALLBACK_TOKEN ?? "" }. ' +
      "If something in front of the app checks callers, set authenticate: false.",
  });
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
