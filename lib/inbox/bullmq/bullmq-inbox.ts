// The inbox on BullMQ and Redis: its methods, and the parts that they use.

import { codedError } from "../../base/errors.js";
import { readLimit, requireString } from "../inbox-options.js";
import type { InspectedInbox, OperableInbox } from "../operable-inbox.js";
import { readBullmqOptions, type BullmqInboxOptions } from "./bullmq-options.js";
import { release, openClient, FAIL_FAST, whenReady } from "./client.js";
import { Ledger } from "./ledger.js";
import { Queue } from "./peers.js";
import { prependScripts } from "./scripts.js";
import { Sender } from "./sender.js";
import { warnOfSetUp } from "./set-up.js";
import { unreachable } from "./unreachable.js";
import { Upkeep } from "./upkeep.js";
import { startWorker, type RunningWorker } from "./worker.js";

/** How long a method of the operator waits for a connection to Redis, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Keeps messages in Redis, as jobs of BullMQ, for any number of processes on any number of machines. Messages are not
 * handled in a fixed order, not even those of one source: if the order matters, compare `receivedAt`.
 *
 * Needs the packages `bullmq` and `ioredis`, and a Redis with `maxmemory-policy noeviction` and `appendonly yes`. With
 * `appendfsync always`, acknowledged messages survive a crash of Redis's machine. With `everysec`, those of the last
 * second may be lost. A replica that takes over may lack recent messages, unless `replicas` says how many must have
 * them.
 *
 * If Redis is out of reach, does not answer, is full or refuses to write, nothing is stored. The error has the code
 * `KALEYRA_SMS_INBOX_UNREACHABLE`. The inbox works again when Redis does. If Redis's answer was late, the message may
 * have been stored all the same: its next delivery is then a duplicate. While Redis is full, waiting messages are still
 * handled, which makes room.
 *
 * `deadLetters({ after })` begins with the oldest if `after` is no longer a dead letter. `stats().dead` also counts
 * failed jobs that other programs have put into the queue. They are never handed out, and are not dead letters.
 *
 * `forget` reads the whole queue. A message that is being handled is handled to its end. Numbers and texts stay in
 * Redis's append-only file until Redis rewrites it; `BGREWRITEAOF` does so at once.
 *
 * @throws TypeError if an option is unknown or has a wrong value, for instance an open client as `connection`
 * @example
 * import { bullmqInbox } from "express-kaleyra-sms/bullmq";
 *
 * const inbox = bullmqInbox({ connection: "redis://localhost:6379" });
 * const sms = incomingSms({ inbox });
 */
export function bullmqInbox(options: BullmqInboxOptions): OperableInbox {
  return opened(options, true).inbox;
}

/** The same, with what only the command asks. Its user waits: an unreachable Redis is reported at once. */
export function inspectedBullmqInbox(options: BullmqInboxOptions): InspectedInbox {
  const { inbox, upkeep, withRedis } = opened(options, false);
  return {
    ...inbox,
    countOf: async (source) => {
      requireString("countOf(source)", source);
      return withRedis(() => upkeep.countOf(source));
    },
    isUnused: () => withRedis(() => upkeep.isUnused()),
  };
}

interface Opened {
  readonly inbox: OperableInbox;
  readonly upkeep: Upkeep;
  readonly withRedis: <Result>(operation: () => Promise<Result>) => Promise<Result>;
}

function opened(options: BullmqInboxOptions, isPatient: boolean): Opened {
  const settings = readBullmqOptions(options);
  const client = openClient(settings.connection, FAIL_FAST);
  warnOfSetUp(client, settings.name);
  const checkScripts = prependScripts(client);
  const queue = new Queue<unknown>(settings.name, {
    connection: client,
    // BullMQ would wait for a connection for ever. The callers check the connection instead.
    skipWaitingForReady: true,
    skipVersionCheck: true,
    skipMetasUpdate: true,
  });
  queue.on("error", () => undefined);
  checkScripts();
  const ledger = new Ledger(queue, client, settings);
  const upkeep = new Upkeep(queue, client, ledger, settings.retentionMs);
  const sender = new Sender(client, ledger);
  let worker: RunningWorker | undefined;
  let closing: Promise<void> | undefined;
  const isClosing = (): boolean => closing !== undefined;

  /** Runs an operation of the operator. Its error contains nothing that was sent. */
  const withRedis = async <Result>(operation: () => Promise<Result>): Promise<Result> => {
    if (closing !== undefined) throw codedError("KALEYRA_SMS_INBOX_CLOSED");
    try {
      await whenReady(client, Date.now() + CONNECT_TIMEOUT_MS, isPatient);
      return await operation();
    } catch (error) {
      // Checked again: closing cuts off what runs.
      throw isClosing() ? codedError("KALEYRA_SMS_INBOX_CLOSED") : unreachable(error);
    }
  };

  const close = async (): Promise<void> => {
    sender.close();
    await worker?.close();
    await queue.close();
    release(client);
  };

  const inbox: OperableInbox = {
    store: async (message, signal) => {
      if (closing !== undefined) throw codedError("KALEYRA_SMS_INBOX_CLOSED");
      return sender.store(message, signal);
    },
    start: (work) => {
      worker = startWorker(settings, work);
    },
    close: () => (closing ??= close()),
    stats: () => withRedis(() => upkeep.stats(Date.now())),
    deadLetters: async ({ limit, after } = {}) => {
      const pageSize = readLimit(limit);
      if (after !== undefined) requireString("deadLetters({ after })", after);
      return withRedis(() => upkeep.deadLetters(pageSize, after));
    },
    get: async (key) => {
      requireString("get(key)", key);
      return withRedis(() => upkeep.get(key));
    },
    replay: async (key) => {
      requireString("replay(key)", key);
      return withRedis(() => upkeep.replay(key));
    },
    replayAll: () => withRedis(() => upkeep.replayAll(Date.now())),
    discard: async (key) => {
      requireString("discard(key)", key);
      return withRedis(() => upkeep.discard(key));
    },
    forget: async (source) => {
      requireString("forget(source)", source);
      return withRedis(() => upkeep.forget(source));
    },
    leaseMs: settings.leaseMs,
  };
  return { inbox, upkeep, withRedis };
}
