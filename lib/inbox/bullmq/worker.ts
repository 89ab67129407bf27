// Runs BullMQ's worker in this process, and closes it.

import { once } from "node:events";
import type { Job } from "bullmq";
import type { Redis as Client } from "ioredis";

import { codedError } from "../../base/errors.js";
import type { InboxWork } from "../inbox.js";
import { atMostOncePerSecond } from "../at-most-once-per-second.js";
import type { BullmqInboxSettings } from "./bullmq-options.js";
import { gatherWrites, ignoringErrors, release, openClient, WAIT_FOREVER } from "./client.js";
import { backoffStrategy, entryOf, optionsOf } from "./job.js";
import { LastingWorker } from "./lasting-worker.js";
import { createProcess } from "./process.js";
import { prependScripts, type Done } from "./scripts.js";
import { unreachable } from "./unreachable.js";
import { settlesWithin } from "./within.js";

/** The delay before the worker retries after an error, in milliseconds. */
const RETRY_MS = 1_000;
/**
 * How long closing waits for Redis after the last handler has ended, in milliseconds. After that, the leases run out.
 */
const CLOSING_MS = 1_500;

export interface RunningWorker {
  /** Stops taking messages. Resolves when the taken ones have ended. */
  close(): Promise<void>;
}

export function startWorker(settings: BullmqInboxSettings, work: InboxWork): RunningWorker {
  const { connection, name, leaseMs, attempts, retentionMs } = settings;
  const clients: Client[] = [];
  const client = openClient(connection, WAIT_FOREVER);
  clients.push(client);
  gatherWrites(client);
  prependScripts(client);
  // The worker duplicates the client, and waits for messages on the copy.
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (override) => {
    const copy = ignoringErrors(duplicate(override));
    clients.push(copy);
    return copy;
  };

  const running = new Set<Promise<unknown>>();
  let isClosing = false;
  let beginClosing = (): void => undefined;
  const closing = new Promise<void>((resolve) => (beginClosing = resolve));
  const report = atMostOncePerSecond((cause) => work.failed(cause));
  const reportUnwritten = atMostOncePerSecond((cause) => work.unwritten?.(cause));
  const processJob = createProcess({ work, closing, retentionMs });

  const process = async (job: Job<unknown>): Promise<Done> => {
    const handling = processJob(job);
    running.add(handling);
    try {
      return await handling;
    } finally {
      running.delete(handling);
    }
  };
  const worker = new LastingWorker(name, process, client, leaseMs, optionsOf(settings), {
    concurrency: work.concurrency,
    stalledInterval: Math.ceil(leaseMs / 2),
    // An attempt in which the process died counts as a failed one.
    maxStalledCount: attempts - 1,
    runRetryDelay: RETRY_MS,
    settings: { backoffStrategy },
  });

  worker.on("error", (error) => {
    if (isClosing) return;
    if (worker.isOfWrite(error)) reportUnwritten(unreachable(error));
    else report(unreachable(error));
  });
  worker.on("failed", (job) => {
    // Only a job that BullMQ gave up because its process died. The router has reported the errors of handlers.
    if (job?.deferredFailure === undefined) return;
    work.failed(codedError("KALEYRA_SMS_CUT_SHORT"), entryOf(job.id, job.data)?.message, job.stalledCounter);
  });

  return {
    close: async () => {
      isClosing = true;
      beginClosing();
      const closed = worker.close();
      while (!(await settlesWithin(closed, CLOSING_MS))) {
        if (running.size > 0) await Promise.allSettled(running);
        else {
          for (const each of clients) release(each);
          await settlesWithin(closed, CLOSING_MS);
          break;
        }
      }
      await Promise.all(clients.map(end));
    },
  };
}

async function end(client: Client): Promise<void> {
  if (client.status === "end") return;
  const ended = once(client, "end");
  release(client);
  await settlesWithin(ended, CLOSING_MS);
}
