// The inbox that a verb works on: opened for one call, beside the app that uses it, and closed again.

import { codeOf } from "../../base/errors.js";
import type { InspectedInbox } from "../../inbox/operable-inbox.js";
import { isBusy, resultCodeOf } from "../../inbox/sqlite/driver.js";
import { fault, unreachable, wrongUse, type Failure } from "../failure.js";
import { secretOf } from "../secrets.js";
import type { ValuesOf } from "../verb.js";

/** The options that name the inbox. */
export const INBOX_OPTIONS = {
  sqlite: { value: "FILE", help: "The file of a sqliteInbox." },
  redis: { value: "URL", secret: true, help: "The Redis of a bullmqInbox." },
  postgres: { value: "URL", secret: true, help: "The PostgreSQL of a postgresInbox." },
  schema: { value: "NAME", help: "The schema of a postgresInbox, if the app gives it one." },
  name: { value: "NAME", help: "The name of the inbox, if the app gives it one." },
} as const;

export const DRY_RUN = { help: "Says what would change, and changes nothing." } as const;
export const CONFIRM = { help: "Does it, though it cannot be undone." } as const;

/** An inbox beside the app that uses it. */
interface Opened {
  readonly inbox: InspectedInbox;
  /** Closes it, and all connections that it was given. */
  readonly close: () => Promise<void>;
}

/** An engine: how it is opened, and what is said of it. */
interface Engine {
  /** Only the engine that is asked for is loaded: the drivers of others may not be installed. */
  readonly open: (given: string, options: ValuesOf<typeof INBOX_OPTIONS>) => Promise<Opened>;
  readonly which: string;
  /** What it keeps messages in. */
  readonly server: string;
}

const SQLITE: Engine = {
  open: async (file, { name }) => {
    const { existingSqliteInbox } = await import("../../inbox/sqlite/sqlite-inbox.js");
    return opened(existingSqliteInbox({ file, name }));
  },
  which: "Give the file and the name that the app gives to sqliteInbox.",
  server: "SQLite",
};
const REDIS: Engine = {
  open: async (url, { name }) => {
    const { inspectedBullmqInbox } = await import("../../inbox/bullmq/bullmq-inbox.js");
    return opened(inspectedBullmqInbox({ connection: secretOf(url, "redis").value, name }));
  },
  which: "Give the URL and the name that the app gives to bullmqInbox.",
  server: "Redis",
};
const POSTGRES: Engine = {
  open: async (url, { schema, name }) => {
    const [{ existingPostgresInbox }, { poolOfUrl }] = await Promise.all([
      import("../../inbox/postgres/postgres-inbox.js"),
      import("../../inbox/postgres/pool-of-url.js"),
    ]);
    const pool = poolOfUrl(secretOf(url, "postgres").value);
    return opened(existingPostgresInbox({ pool, schema, name }), () => pool.end());
  },
  which: "Give the URL, the schema and the name that the app gives to postgresInbox.",
  server: "PostgreSQL",
};

function opened(inbox: InspectedInbox, release = (): Promise<void> => Promise.resolve()): Opened {
  // Whether it closes well changes nothing of what was found or done.
  return {
    inbox,
    close: () =>
      inbox
        .close()
        .then(release, release)
        .catch(() => undefined),
  };
}

/**
 * Opens the inbox for one use. It hands out nothing, so it needs no lease, and the app beside it goes on.
 *
 * @throws Failure if there is no such inbox, or it is out of reach
 */
export async function withInbox<Found>(
  options: ValuesOf<typeof INBOX_OPTIONS>,
  signal: AbortSignal,
  use: (inbox: InspectedInbox) => Promise<Found>,
): Promise<Found> {
  const { engine, given } = engineIn(options);
  let close = (): Promise<void> => Promise.resolve();
  // What still waits for the inbox then rejects.
  const abort = (): void => void close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    const { inbox, ...opening } = await engine.open(given, options);
    close = opening.close;
    signal.throwIfAborted();
    return await use(inbox);
  } catch (cause) {
    throw explained(cause, engine);
  } finally {
    signal.removeEventListener("abort", abort);
    await close();
  }
}

function engineIn(options: ValuesOf<typeof INBOX_OPTIONS>): { readonly engine: Engine; readonly given: string } {
  const { sqlite, redis, postgres, schema } = options;
  const [one, ...others] = [
    { engine: SQLITE, given: sqlite },
    { engine: REDIS, given: redis },
    { engine: POSTGRES, given: postgres },
  ].flatMap(({ engine, given }) => (given === undefined ? [] : [{ engine, given }]));
  if (one === undefined || others.length > 0)
    throw wrongUse(
      "One of --sqlite FILE, --redis URL and --postgres URL says which inbox.",
      "For instance --sqlite inbox.db.",
    );
  if (schema !== undefined && postgres === undefined)
    throw wrongUse("--schema is for --postgres only.", "Leave it out.");
  return one;
}

/** Errors of the inbox in the words of the command line. */
function explained(cause: unknown, { which, server }: Engine): unknown {
  if (isBusy(cause))
    return unreachable(
      "Another process locks the inbox's file.",
      "Run it again when that process has finished.",
      "KALEYRA_SMS_INBOX_BUSY",
    );
  const code = codeOf(cause);
  if (code === "KALEYRA_SMS_INVALID_OPTION") return wrongUse(inOptionsOfTheCommand(cause), which, "no-inbox");
  if (code === "KALEYRA_SMS_INBOX_DATABASE_UNFIT")
    return wrongUse(inOptionsOfTheCommand(cause), "Run it again when that is done.", code);
  if (code === "KALEYRA_SMS_PEER_MISSING")
    return wrongUse(
      inOptionsOfTheCommand(cause),
      "Run the command in the folder of the app, where express-kaleyra-sms is installed beside it.",
      code,
    );
  if (code === "KALEYRA_SMS_INBOX_BUSY")
    return unreachable(inOptionsOfTheCommand(cause), "Run it again when the other process has finished.", code);
  if (code === "KALEYRA_SMS_INBOX_UNREACHABLE")
    return unreachable(
      /^.*?\.(?= )/.exec(inOptionsOfTheCommand(cause))?.[0].replace("The server of the inbox", server) ??
        `${server} could not be reached.`,
      `Check that ${server} runs, and that the URL is right.`,
      code,
    );
  const result = resultCodeOf(cause);
  if (code === undefined && result !== undefined)
    return unreachable(
      `The inbox's file cannot be used (${result}).`,
      "Look at the disk and at the rights to the file and to its folder.",
    );
  return cause;
}

function inOptionsOfTheCommand(cause: unknown): string {
  const { message } = cause instanceof Error ? cause : { message: "The inbox cannot be opened." };
  return message
    .replace(/ See \S+$/, "")
    .replaceAll("options.file of sqliteInbox", "--sqlite")
    .replaceAll("options.connection of bullmqInbox", "--redis")
    .replaceAll("options.pool of postgresInbox", "--postgres")
    .replaceAll("options.schema of postgresInbox", "--schema")
    .replaceAll(/options\.name of (sqlite|bullmq|postgres)Inbox/g, "--name");
}

/** @throws Failure if what cannot be undone is not confirmed */
export function assertConfirmed({ yes, "dry-run": isDry }: Readonly<Record<"yes" | "dry-run", boolean>>): void {
  if (!yes && !isDry)
    throw wrongUse(
      "This cannot be undone.",
      "Add --yes to do it, or --dry-run to see what would change.",
      "not-confirmed",
    );
}

/** Why a key is not that of a dead letter. */
export async function noDeadLetter(inbox: InspectedInbox, key: string): Promise<Failure> {
  const kept = await inbox.get(key);
  if (kept === undefined) return noMessage();
  return fault({
    code: "no-dead-letter",
    message: `The message is no dead letter: it is ${kept.state}.`,
    next: "inbox dead lists the dead letters.",
  });
}

export function noMessage(): Failure {
  return fault({
    code: "no-message",
    message: "The inbox has no message with that key.",
    next: "It was handled, discarded or forgotten, or was never stored. inbox dead lists the keys of dead letters.",
  });
}

/** What was done, or would be, to a number of messages. */
export function changed(
  count: number,
  isDry: boolean,
  done: string,
): { readonly data: { readonly messages: number; readonly dryRun: boolean }; readonly text: string } {
  return {
    data: { messages: count, dryRun: isDry },
    text: `${count} ${count === 1 ? "message" : "messages"} ${isDry ? "would be " : ""}${done}.`,
  };
}
