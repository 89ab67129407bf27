// An inbox on BullMQ and Redis.

import { codedError } from "../../base/errors.js";
import { readLimit, requireString } from "../inbox-options.js";
import type { Inbox } from "../inbox.js";
import { readBullmqOptions, type BullmqInboxOptions } from "./bullmq-options.js";
import { release, open, PROMPT, ready } from "./client.js";
import { Ledger } from "./ledger.js";
import { Queue } from "./peers.js";
import { putInFront } from "./scripts.js";
import { Sender } from "./sender.js";
import { warnOfSetUp } from "./set-up.js";
import { unreachable } from "./unreachable.js";
import { startWorker, type RunningWorker } from "./worker.js";

/** For how long whoever runs the inbox waits for Redis, in milliseconds. */
const PATIENCE_MS = 5_000;

/**
 * Keeps messages in Redis, as jobs of BullMQ: any number of processes on any number of machines. In which order messages are handled is not
 * promised, not even within one source: where it matters, compare `receivedAt`.
 *
 * Needs the packages `bullmq` and `ioredis`, and a Redis with `maxmemory-policy noeviction` and `appendonly yes`. What it answered 200
 * outlives a crash of Redis's machine under `appendfsync always`; under `everysec`, all but the last second. A replica that takes over lacks what
 * had not reached it, unless `replicas` says how many must have it.
 *
 * If Redis is out of reach, gives no answer, is full, or refuses to write, nothing is stored and the `Error`'s `code` is
 * `KALEYRA_SMS_INBOX_UNREACHABLE`. It works again when Redis does. A message may have been stored though its answer did not come in time; its
 * repeat is then a duplicate. While Redis is full, what waits is handled all the same, and makes room.
 *
 * `deadLetters({ after })` begins with the oldest where `after` is no dead letter any more. `stats().dead` counts jobs also that somebody else
 * has put into the queue: they are never handed out, and are no dead letters. `forget` reads all that the queue holds; a message that is being
 * handled is handled to its end. In Redis's append-only file, numbers and texts stand until Redis rewrites it: at once after `BGREWRITEAOF`.
 *
 * @throws TypeError where an option takes another value, such as an open client as `connection`
 * @example
 * import { bullmqInbox } from "express-kaleyra-sms/bullmq";
 *
 * const inbox = bullmqInbox({ connection: "redis://localhost:6379" });
 * const sms = incomingSms({ inbox });
 */
export function bullmqInbox(options: BullmqInboxOptions): Inbox {
  const settings = readBullmqOptions(options);
  const client = open(settings.connection, PROMPT);
  warnOfSetUp(client, settings.name);
  const checkScripts = putInFront(client);
  const queue = new Queue<unknown>(settings.name, {
    connection: client,
    // Whether there is a connection is looked at where it matters: BullMQ would wait for it for ever.
    skipWaitingForReady: true,
    skipVersionCheck: true,
    skipMetasUpdate: true,
  });
  queue.on("error", () => undefined);
  checkScripts();
  const ledger = new Ledger(queue, client, settings);
  const sender = new Sender(client, ledger);
  let worker: RunningWorker | undefined;
  let closing: Promise<void> | undefined;

  /** Rejects with nothing that was sent. */
  const reach = async <Result>(operation: () => Promise<Result>): Promise<Result> => {
    if (closing !== undefined) throw codedError("KALEYRA_SMS_INBOX_CLOSED");
    try {
      await ready(client, Date.now() + PATIENCE_MS);
      return await operation();
    } catch (error) {
      throw unreachable(error);
    }
  };

  const close = async (): Promise<void> => {
    sender.close();
    await worker?.close();
    await queue.close();
    release(client);
  };

  return {
    store: async (message, deadline) => {
      if (closing !== undefined) throw codedError("KALEYRA_SMS_INBOX_CLOSED");
      return sender.store(message, deadline);
    },
    start: (work) => {
      worker = startWorker(settings, work);
    },
    close: () => (closing ??= close()),
    stats: () => reach(() => ledger.stats(Date.now())),
    deadLetters: async ({ limit, after } = {}) => {
      const most = readLimit(limit);
      if (after !== undefined) requireString("deadLetters({ after })", after);
      return reach(() => ledger.deadLetters(most, after));
    },
    replay: async (key) => {
      requireString("replay(key)", key);
      return reach(() => (key === "all" ? ledger.replayAll(Date.now()) : ledger.replay(key)));
    },
    forget: async (source) => {
      requireString("forget(source)", source);
      return reach(() => ledger.forget(source));
    },
  };
}
