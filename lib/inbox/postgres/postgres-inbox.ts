// The inbox in PostgreSQL: its methods, and the parts that they use.

import type { InspectedInbox, OperableInbox } from "../operable-inbox.js";
import { RoundWorker } from "../rounds/worker.js";
import { PostgresEngine } from "./engine.js";
import { Notifications } from "./notifications.js";
import { Operator } from "./operator.js";
import { readPostgresOptions, type PostgresInboxOptions, type PostgresInboxSettings } from "./postgres-options.js";
import { sizeOf } from "./pool.js";
import { Requests } from "./requests.js";
import { SetUp } from "./set-up.js";
import { Unconfirmed } from "./unconfirmed.js";

/** How long a statement and a connection may take at most, in milliseconds. */
const MAX_LIMIT_MS = 5_000;
const MIN_LIMIT_MS = 1_000;

/**
 * Keeps messages in PostgreSQL, for any number of processes on any number of machines. Messages of one source are handled
 * one at a time, in order of arrival, in whichever process.
 *
 * Needs the package `pg`, and PostgreSQL 13 or newer. The inbox makes its tables when it is first used, in a schema of
 * its own. Acknowledged messages survive a crash of the server: a commit waits for the disk, even if
 * `synchronous_commit` is off. A standby that takes over may lack the last ones, unless replication is synchronous.
 *
 * If the database is out of reach, does not answer, is full or refuses to write, nothing is stored. The error has the
 * code `KALEYRA_SMS_INBOX_UNREACHABLE`. The inbox works again when the database does. If the answer of the database
 * was late, the message may have been stored all the same: its next delivery is then a duplicate.
 *
 * A pooler in front of the database may be in transaction mode. Notifications do not pass it: a message that another
 * process stored is then found within 200 milliseconds, and the same if the pool has one client only.
 *
 * @throws TypeError if an option is unknown or has a wrong value, for instance a client as `pool`
 * @example
 * import { Pool } from "pg";
 * import { postgresInbox } from "express-kaleyra-sms/postgres";
 *
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 5_000 });
 * const sms = incomingSms({ inbox: postgresInbox({ pool }) });
 */
export function postgresInbox(options: PostgresInboxOptions): OperableInbox {
  return opened(readPostgresOptions(options), false).inbox;
}

/** Opens an inbox that is there already: no tables are made. */
export function existingPostgresInbox(options: PostgresInboxOptions): InspectedInbox {
  const { inbox, operator } = opened(readPostgresOptions(options), true);
  return { ...inbox, countOf: (source) => operator.countOf(source), isUnused: () => operator.isUnused() };
}

interface Opened {
  readonly inbox: OperableInbox;
  readonly operator: Operator;
}

function opened(settings: PostgresInboxSettings, isExisting: boolean): Opened {
  const { pool, schema, name, leaseMs } = settings;
  // An idle client whose connection ends emits an error, which would end the process.
  pool.on("error", ignored);
  const limitMs = Math.min(Math.max(leaseMs / 3, MIN_LIMIT_MS), MAX_LIMIT_MS);
  const requests: Requests = new Requests(pool, limitMs, () => unconfirmed.end());
  const unconfirmed = new Unconfirmed(requests, schema, limitMs);
  const setUp = new SetUp(requests, settings, isExisting);
  const notifications = new Notifications(requests, schema, name, () => worker.wake());
  const engine = new PostgresEngine(requests, setUp, settings, notifications);
  const worker: RoundWorker = new RoundWorker(engine, settings);
  const operator = new Operator(
    requests,
    setUp,
    schema,
    notifications,
    () => worker.wake(),
    (source) => worker.forget(source),
  );

  const close = async (): Promise<void> => {
    try {
      await worker.close();
    } finally {
      await operator.close();
      await engine.close();
      await notifications.close();
      await unconfirmed.close();
      pool.removeListener("error", ignored);
    }
  };

  let closing: Promise<void> | undefined;

  const inbox: OperableInbox = {
    store: (message, signal) => worker.store(message, signal),
    start: (work) => {
      worker.start(work);
      // The listening client must not be the only one.
      if (sizeOf(pool) > 1) notifications.listen();
    },
    close: () => (closing ??= close()),
    stats: () => operator.stats(),
    deadLetters: (page) => operator.deadLetters(page),
    get: (key) => operator.get(key),
    replay: (key) => operator.replay(key),
    replayAll: () => operator.replayAll(),
    discard: (key) => operator.discard(key),
    forget: (source) => operator.forget(source),
    leaseMs,
  };
  return { inbox, operator };
}

const ignored = (): void => undefined;
