// Connections to Redis: one that fails at once where Redis is away, for whoever is waited for, and one that waits, for the worker.

import type { Redis as Client, RedisOptions } from "ioredis";

import { Redis } from "./peers.js";
import { redisFailed, unreachable } from "./unreachable.js";

/** Between two attempts to connect, at the longest, in milliseconds: Redis is back for the inbox soon after it is back. */
const LONGEST_RETRY_MS = 1_000;
/** For how long a connection that is let go of waits for the other side to do so, in milliseconds. */
const DISCONNECT_MS = 300;

const COMMON = {
  retryStrategy: (times: number): number => Math.min(50 * 2 ** Math.min(times - 1, 10), LONGEST_RETRY_MS),
  disconnectTimeout: DISCONNECT_MS,
  lazyConnect: false,
  // The answers that BullMQ reads.
  replyMapping: "legacy",
  stringNumbers: false,
} as const satisfies RedisOptions;

/** Sends now or never: what is not answered is not sent again, and no memory is held for it. */
export const PROMPT = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // One that accepts and never answers is left, and connected to anew.
  socketTimeout: 5_000,
} as const satisfies RedisOptions;

/** Waits for Redis however long it takes, as BullMQ's worker wants it. */
export const PATIENT = {
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  autoResendUnfulfilledCommands: true,
  // Longer than the worker ever waits for a message.
  socketTimeout: 20_000,
} as const satisfies RedisOptions;

/** @param own - what holds whatever the user's options say */
export function open(connection: string | RedisOptions, own: typeof PROMPT | typeof PATIENT): Client {
  let isLeaving = false;
  /** What was the primary, and is a replica since a failover, is left for what is the primary now: once, however many commands it refuses. */
  const reconnectOnError = ({ message }: Error): boolean => {
    if (isLeaving || !message.includes("READONLY")) return false;
    return (isLeaving = true);
  };
  const options = { ...COMMON, ...own, reconnectOnError };
  const client =
    typeof connection === "string" ? new Redis(connection, options) : new Redis({ ...connection, ...options });
  return ignoringErrors(client).on("ready", () => (isLeaving = false));
}

/** Unheard, ioredis prints its errors. What they mean for a message, its command tells. */
export function ignoringErrors(client: Client): Client {
  // One listener for each that waits. BullMQ adds to the number.
  return client.setMaxListeners(Infinity).on("error", () => undefined);
}

/** Resolves when commands can be sent. @throws Error at the deadline, in milliseconds since the epoch, and when the client is let go of */
export function ready(client: Client, deadline: number): Promise<void> {
  if (client.status === "ready") return Promise.resolve();
  return new Promise((resolve, reject) => {
    let last: unknown = redisFailed("no connection in time");
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      client.off("ready", isReady).off("end", isOver).off("error", isError);
      end();
    };
    const isReady = (): void => settle(resolve);
    const isOver = (): void => settle(() => reject(unreachable(last)));
    const isError = (error: unknown): unknown => (last = error);
    const timer = setTimeout(isOver, Math.max(deadline - Date.now(), 0));
    client.on("ready", isReady).on("end", isOver).on("error", isError);
    if (client.status === "end") isOver();
  });
}

/** Lets go of a client, whatever state it is in: what waits for an answer is rejected soon after. */
export function release(client: Client): void {
  if (client.status === "end") return;
  // Between two attempts ioredis would end neither itself nor what waits.
  if (client.status === "reconnecting" || client.status === "close") client.connect().catch(() => undefined);
  client.disconnect();
}
