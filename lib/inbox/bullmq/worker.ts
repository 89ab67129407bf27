// The inbox's work in this process: BullMQ's worker, and what it does with a job.

import { once } from "node:events";
import type { Job, Worker as BullmqWorker } from "bullmq";
import type { Redis as Client } from "ioredis";

import { codedError } from "../../base/errors.js";
import type { InboxWork } from "../inbox.js";
import { atMostOncePerSecond } from "../at-most-once-per-second.js";
import type { BullmqInboxSettings } from "./bullmq-options.js";
import { ignoringErrors, release, open, PATIENT } from "./client.js";
import { backoffStrategy, entryOf, optionsOf } from "./job.js";
import { LastingWorker } from "./lasting-worker.js";
import { createProcess } from "./process.js";
import { putInFront, type Done } from "./scripts.js";
import { unreachable } from "./unreachable.js";
import { within } from "./within.js";

/** How soon the worker tries again, in milliseconds. */
const RETRY_MS = 1_000;
/** For how long closing waits for Redis, when no handler runs any more, in milliseconds. After that, leases run out. */
const CLOSING_MS = 1_500;

export interface RunningWorker {
  /** Takes nothing out any more, and resolves when what was taken out has ended. */
  close(): Promise<void>;
}

export function startWorker(settings: BullmqInboxSettings, work: InboxWork): RunningWorker {
  const { connection, name, leaseMs, attempts, retentionMs } = settings;
  const clients: Client[] = [];
  const client = open(connection, PATIENT);
  clients.push(client);
  putInFront(client);
  // The worker makes one of its own, on which it waits for messages.
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
  const worker: BullmqWorker<unknown> = new LastingWorker(name, process, client, leaseMs, optionsOf(settings), {
    concurrency: work.concurrency,
    stalledInterval: Math.ceil(leaseMs / 2),
    // A message is tried again after the process died in it, as after a handler failed.
    maxStalledCount: attempts - 1,
    runRetryDelay: RETRY_MS,
    settings: { backoffStrategy },
  });

  worker.on("error", (error) => {
    if (!isClosing) report(unreachable(error));
  });
  worker.on("failed", (job) => {
    // Given up by BullMQ: what a handler threw, the router has told.
    if (job?.deferredFailure === undefined) return;
    work.failed(codedError("KALEYRA_SMS_CUT_SHORT"), entryOf(job.id, job.data)?.message, job.stalledCounter);
  });

  return {
    close: async () => {
      isClosing = true;
      beginClosing();
      const closed = worker.close();
      while (!(await within(closed, CLOSING_MS))) {
        if (running.size > 0) await Promise.allSettled(running);
        else {
          for (const each of clients) release(each);
          await within(closed, CLOSING_MS);
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
  await within(ended, CLOSING_MS);
}
