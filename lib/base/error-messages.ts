// The codes of process warnings and errors: what happened, and what to do.
// `npm run docs` makes docs/codes.md from them.

/** How a code is reported. */
type Kind = "process warning" | "Error" | "TypeError";

interface Entry {
  readonly kinds: readonly Kind[];
  /** What happened. */
  readonly sentence: string;
  /** What to do, in Markdown. */
  readonly action: string;
}

export const CODES = {
  KALEYRA_SMS_BODY_ALREADY_PARSED: {
    kinds: ["process warning"],
    sentence: "A body parser runs before the router.",
    action:
      "Mount the router before `express.json()` and other body parsers. " +
      "A callback that a parser rejects never reaches the router, even if the parser keeps a `rawBody`: " +
      "for instance a text that the provider did not escape. " +
      "Without the raw body, the router cannot see a duplicate key either. " +
      "If you cannot move the router, mount `express.raw({ type: () => true })` on its path, before the parsers.",
  },
  KALEYRA_SMS_BODY_CONSUMED: {
    kinds: ["process warning"],
    sentence: "Something in the app read the body of a callback before the router was called, and discarded it.",
    action:
      "The callback got a 500, since its message is lost. " +
      "Mount the router before whatever reads the body, and before asynchronous middleware: " +
      "a body that a listener has made flow does not wait for the router. " +
      "If you cannot move the router, keep the bytes in `req.rawBody`, " +
      "or mount `express.raw({ type: () => true })` first.",
  },
  KALEYRA_SMS_CUT_SHORT: {
    kinds: ["Error"],
    sentence: "The process ended during each attempt at the message.",
    action:
      "The message is a dead letter. " +
      "Find out why the process ends: a crash in a handler, too little memory, or a restart within each attempt. " +
      "Then replay the message.",
  },
  KALEYRA_SMS_FOREIGN_JOB: {
    kinds: ["Error"],
    sentence: "The queue contained a job that is not a message of this inbox.",
    action:
      "The job is kept among BullMQ's failed jobs, and other messages go on. " +
      "Give the queue of the inbox a `name` that no other program uses.",
  },
  KALEYRA_SMS_HANDLER_FAILED: {
    kinds: ["Error"],
    sentence: "A handler threw or rejected.",
    action:
      "Correct the handler: `cause` is what it threw. " +
      "Without an inbox the callback got a 500, and can be triggered again in the console. " +
      "With one, the message is retried.",
  },
  KALEYRA_SMS_HANDLER_TIMEOUT: {
    kinds: ["Error"],
    sentence: "A handler did not end within handlerTimeoutMs.",
    action:
      "Pass the handler's `signal` to `fetch` and to your database, so that they stop in time. " +
      "If the work needs longer, raise `handlerTimeoutMs` or use an inbox.",
  },
  KALEYRA_SMS_HANDLING_FAILED: {
    kinds: ["Error"],
    sentence: "The handlers of a message could not be run.",
    action: "The attempt counts as failed and is retried. This is a bug in the package: please report it.",
  },
  KALEYRA_SMS_INBOX_BUSY: {
    kinds: ["Error"],
    sentence: "Another program has locked the inbox's file, or reads it for long.",
    action:
      "When an inbox is made: wait until the other program has finished, then start again. " +
      "When messages are stored: a backup, or a shell in a transaction, reads the file, " +
      "and the file's log is full: 1 GiB, or more than is left on the disk. " +
      "Callbacks get a 503 until that program has finished. " +
      "Wait for it, or end it: `fuser -v` lists who has the file open. " +
      "From `forget`: the messages are erased, but another program still reads the file's log, " +
      "which contains their texts. Call `forget` again when it has finished.",
  },
  KALEYRA_SMS_INBOX_CLOSED: {
    kinds: ["Error"],
    sentence: "The inbox is closed.",
    action: "Make a new inbox with a new router, on the same file or server. A closed inbox cannot be used again.",
  },
  KALEYRA_SMS_INBOX_CONTRACT: {
    kinds: ["TypeError"],
    sentence: "An inbox does not implement the interface `Inbox` correctly.",
    action:
      'Correct your inbox as docs/write-an-inbox.md describes: `store` resolves with "stored" or "duplicate", ' +
      "and `stats` with five numbers.",
  },
  KALEYRA_SMS_INBOX_DATABASE_UNFIT: {
    kinds: ["Error"],
    sentence: "The database is not fit for an inbox.",
    action:
      "The error says what is missing, and how to get it: the right to make the tables, a newer server, " +
      "the encoding UTF8, the isolation level `read committed`, or a newer version of the package.",
  },
  KALEYRA_SMS_INBOX_FAILED: {
    kinds: ["Error"],
    sentence: "The inbox failed.",
    action:
      "Look at `cause`: it is what the database, its driver or your own inbox threw. Callbacks get a 503 meanwhile.",
  },
  KALEYRA_SMS_INBOX_FILE_FAILED: {
    kinds: ["Error"],
    sentence: "SQLite could not read or write the inbox's file.",
    action:
      "Callbacks get a 503 until it can. What was stored stays in the file, and in its `-wal`. " +
      "For `SQLITE_FULL` make room on the disk, for `SQLITE_IOERR` look at the disk, " +
      "for `SQLITE_READONLY` and `SQLITE_CANTOPEN` at the rights to the file and its folder. " +
      "For `SQLITE_BUSY` end the program that locks the file. The `cause` is what the driver threw.",
  },
  KALEYRA_SMS_INBOX_FILE_LOST: {
    kinds: ["Error"],
    sentence: "The inbox's file was deleted, replaced or overwritten while the process had it open.",
    action:
      "Callbacks get a 503 until the file itself is moved back. A copy needs a restart. " +
      "While the process runs, what waits is still in the files that it has open. A restart loses them: " +
      'copy them first, as docs/operating.md says in "If the file is lost". ' +
      "Back up an inbox with `VACUUM INTO`, and never replace its file in use.",
  },
  KALEYRA_SMS_INBOX_IN_MEMORY: {
    kinds: ["TypeError"],
    sentence: "memoryInbox is for tests: a restart loses what is in memory, and NODE_ENV is production.",
    action:
      "Use `sqliteInbox` on one machine, `postgresInbox` or `bullmqInbox` on several. " +
      "If this is a test, run it without `NODE_ENV=production`.",
  },
  KALEYRA_SMS_INBOX_THREAD_ENDED: {
    kinds: ["Error"],
    sentence: "The thread that reads and writes the inbox's file has ended.",
    action:
      "It starts again by itself, and callbacks get a 503 until then. Nothing that was acknowledged is lost. " +
      "The error says why it ended. " +
      "If the memory of the process is too small for a thread, set `thread: false`.",
  },
  KALEYRA_SMS_INBOX_UNREACHABLE: {
    kinds: ["Error"],
    sentence: "The server of the inbox could not be reached, or refused a command.",
    action:
      "Callbacks get a 503 until it works again. Nothing that was acknowledged is lost. " +
      "Redis: check that it runs, that `connection` is right, and that its memory and disk are not full. " +
      "PostgreSQL: check that it runs, and that the address of the pool is right. " +
      "For `53100` make room on its disk, for `53300` lower the `max` of your pools or raise `max_connections`, " +
      "for `25006` connect to the primary in place of a standby. " +
      "If there was no connection in time, look whether your own queries hold all clients of the pool.",
  },
  KALEYRA_SMS_INVALID_ARGUMENT: {
    kinds: ["TypeError"],
    sentence: "A function of the package was called with an invalid argument.",
    action: "Correct the call. The error says what the function takes.",
  },
  KALEYRA_SMS_INVALID_OPTION: {
    kinds: ["TypeError"],
    sentence: "An option is unknown, has a wrong value, or excludes another one.",
    action: "Correct the option. The error names it and says what it takes.",
  },
  KALEYRA_SMS_NOT_ESCAPED: {
    kinds: ["process warning"],
    sentence: "The provider puts texts into the body without escaping them.",
    action: 'Set `escaping: "none"`. Texts that look escaped, such as `C:\\new`, are then read exactly as sent, too.',
  },
  KALEYRA_SMS_NO_ADDRESS: {
    kinds: ["process warning"],
    sentence: "A caller was rejected, since `allow` needs an address, and a Request has none.",
    action:
      "Pass the address that your platform knows: `sms.fetch(request, { ip })`. " +
      "If it knows none, use a secret in place of `allow`.",
  },
  KALEYRA_SMS_NO_AUTHENTICATION: {
    kinds: ["process warning", "TypeError"],
    sentence: "No authentication is configured.",
    action:
      "Anyone who knows the URL can opt your customers in and out. " +
      "In the console, add a custom HTTP header with a long random value to the Callback Profile, and set " +
      '`authenticate: { header: "X-Callback-Token", value: process.env.CALLBACK_TOKEN }`. ' +
      "If something in front of the app checks callers, set `authenticate: false`. " +
      "Under `NODE_ENV=production` this is an error.",
  },
  KALEYRA_SMS_NO_HANDLER: {
    kinds: ["process warning"],
    sentence: "An SMS met no handler: nothing was done with it.",
    action:
      'Register `sms.on("message", ...)` for every SMS, or `sms.on("unmatched", ...)` for those without a known keyword.',
  },
  KALEYRA_SMS_NO_TEXT: {
    kinds: ["process warning"],
    sentence: "GET callbacks do not contain the text of the message.",
    action:
      "In the console, append `&keyword=<keyword>&parts[1]=<parts[1]>&parts[2]=<parts[2]>` to the endpoint, " +
      "or choose POST, which sends the whole text.",
  },
  KALEYRA_SMS_NO_THREAD: {
    kinds: ["process warning"],
    sentence: "sqliteInbox reads and writes its file in this process, since the file of its thread is missing.",
    action:
      "A bundle contains no threads: leave express-kaleyra-sms out of it, for instance as `external`. " +
      "If a slow disk may block the event loop, set `thread: false`.",
  },
  KALEYRA_SMS_OTHER_PATH: {
    kinds: ["process warning"],
    sentence: "A request for another path arrived, and got a 404.",
    action:
      "If it was a callback, set `options.path` to the path of the endpoint in the console. " +
      "If other requests are for your app, pass `next`: " +
      "`http.createServer((req, res) => sms(req, res, () => app(req, res)))`. Otherwise ignore this warning.",
  },
  KALEYRA_SMS_PEER_MISSING: {
    kinds: ["Error", "TypeError"],
    sentence: "A package that this subpath or option needs is not installed, or this Node does not have the driver.",
    action: "Install it. The error contains the command.",
  },
  KALEYRA_SMS_PEER_VERSION: {
    kinds: ["Error"],
    sentence: "The installed version of a package is not supported.",
    action: "Install a version that the `peerDependencies` in package.json allow.",
  },
  KALEYRA_SMS_POSSIBLE_OPT_OUT_UNHEARD: {
    kinds: ["process warning"],
    sentence: "OPT_OUT is registered, but no handler gets what only may be an opt-out, such as STOP within a sentence.",
    action:
      'Register `sms.keyword(POSSIBLE_OPT_OUT, ...)` or `sms.on("unmatched", ...)`: let a person read those messages.',
  },
  KALEYRA_SMS_PROFILE_DIFFERS: {
    kinds: ["process warning"],
    sentence: "The Callback Profile in the console differs from the one on the provider's page.",
    action:
      "Declare it: the warning prints the `callbackProfile({ ... })` to paste. " +
      "Without it, an unescaped text can pass for a field. " +
      "A request that only lacks some of the page's keys, as people send by hand, causes no warning.",
  },
  KALEYRA_SMS_PROXY_ADDRESS: {
    kinds: ["process warning"],
    sentence: "A caller behind a proxy was rejected, since `allow` sees the address of the proxy.",
    action:
      "Without Express, nothing says which proxies to trust. " +
      'Check addresses in the proxy, or mount the router in Express with "trust proxy" set to the number of proxies.',
  },
  KALEYRA_SMS_REDIS_CLUSTER: {
    kinds: ["process warning"],
    sentence: "Redis is in cluster mode, and the keys of the queue may be on different nodes.",
    action:
      'Put the `name` of `bullmqInbox` in braces, for instance `"{express-kaleyra-sms}"`. ' +
      "The whole queue is then on one node: `connection` must name that node.",
  },
  KALEYRA_SMS_REDIS_EVICTS: {
    kinds: ["process warning"],
    sentence: "Redis deletes waiting messages when its memory is full.",
    action: "Set `maxmemory-policy noeviction` in Redis. With any other policy, acknowledged messages can be lost.",
  },
  KALEYRA_SMS_SIMULATOR_IN_PRODUCTION: {
    kinds: ["TypeError"],
    sentence: "The simulator is for development, and NODE_ENV is production.",
    action:
      'Mount it only in development: `if (process.env.NODE_ENV !== "production") ' +
      'app.use("/simulator", simulator(sms, { ... }))`. ' +
      "Its page shows numbers and texts, and sends callbacks with your secrets. " +
      "If you want it all the same, set `allowInProduction: true`.",
  },
  KALEYRA_SMS_STORE_TIMEOUT: {
    kinds: ["Error"],
    sentence: "The inbox did not store the message within storeTimeoutMs.",
    action:
      "The callback got a 503, and the provider's Callback Reports show it. " +
      "Check the inbox's disk or server. The message may still have been stored: a new delivery is then a duplicate.",
  },
  KALEYRA_SMS_TRUST_PROXY: {
    kinds: ["process warning"],
    sentence: 'With "trust proxy" set to true, callers choose the address that `allow` compares.',
    action: 'Set "trust proxy" to the number of proxies in front of the app, or to their addresses.',
  },
  KALEYRA_SMS_UNREADABLE: {
    kinds: ["Error"],
    sentence: "The inbox's file contained a row that is not a message.",
    action:
      "The row is set aside, and other messages go on. It is rewritten if its callback is sent again. " +
      "Check the disk: something damaged the file.",
  },
  KALEYRA_SMS_WAITS_FOR_ITSELF: {
    kinds: ["process warning"],
    sentence: "A handler called sms.receive with a message of the source that it is handling.",
    action:
      "Messages of one source are handled one after the other. " +
      "A handler that awaits this call therefore waits for itself, until handlerTimeoutMs is over. " +
      "Do not await the call there, or give the router an inbox. " +
      "The package cannot see whether the call is awaited: the warning is also emitted without await.",
  },
} as const satisfies Record<`KALEYRA_SMS_${string}`, Entry>;

type Codes = typeof CODES;
export type Code = keyof Codes;
type CodeOf<Wanted extends Kind> = {
  [Name in Code]: Wanted extends Codes[Name]["kinds"][number] ? Name : never;
}[Code];

export type WarningCode = CodeOf<"process warning">;
export type ErrorCode = CodeOf<"Error">;
export type TypeErrorCode = CodeOf<"TypeError">;

/** Details of one case, in addition to the table. */
export interface CaseDetails {
  /** Replaces the table's sentence and action. */
  readonly message?: string;
  /** The reason, appended to the table's sentence. */
  readonly why?: string;
}

/** The text of a warning or an error. It ends with the path of the code's paragraph in the installed package. */
export function textOf(code: Code, { message, why }: CaseDetails = {}): string {
  const { sentence, action } = CODES[code];
  const happened = why === undefined ? sentence : `${sentence.slice(0, -1)}: ${why}.`;
  const explanation = message ?? `${happened} ${action.replaceAll("`", "")}`;
  return `${explanation} See node_modules/express-kaleyra-sms/docs/codes.md#${code.toLowerCase()}`;
}
