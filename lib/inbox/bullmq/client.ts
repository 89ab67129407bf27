// Connections to Redis. One kind fails at once if Redis is away, for callers. The other waits, for the worker.

import type { Redis as Client, RedisOptions } from "ioredis";

import type { Connection } from "./bullmq-options.js";
import { Redis } from "./peers.js";
import { redisFailed, unreachable } from "./unreachable.js";

/**
 * The longest delay between two attempts to connect, and between two questions whether Redis has loaded its data, in
 * milliseconds: the inbox works again soon after Redis does.
 */
const MAX_RETRY_MS = 1_000;
/** How long a released connection waits for the other side to close, in milliseconds. */
const DISCONNECT_MS = 300;

/**
 * How long commands are gathered, in milliseconds: the result of a message must not wait for the handlers of others.
 */
const MAX_GATHER_MS = 1;

const COMMON = {
  retryStrategy: (times: number): number => Math.min(50 * 2 ** Math.min(times - 1, 10), MAX_RETRY_MS),
  // ioredis waits as long as Redis expects to load. In the first moments Redis may expect to load for hours.
  maxLoadingRetryTime: MAX_RETRY_MS,
  disconnectTimeout: DISCONNECT_MS,
  lazyConnect: false,
  // The form of replies that BullMQ expects.
  replyMapping: "legacy",
  stringNumbers: false,
} as const satisfies RedisOptions;

/** Sends a command at once or fails: a command without a reply is neither kept in memory nor sent again. */
export const FAIL_FAST = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // A connection on which Redis does not answer is replaced.
  socketTimeout: 5_000,
} as const satisfies RedisOptions;

/** Waits for Redis without a limit, as BullMQ's worker requires. */
export const WAIT_FOREVER = {
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  autoResendUnfulfilledCommands: true,
  // Longer than the worker ever waits for a message.
  socketTimeout: 20_000,
} as const satisfies RedisOptions;

/** @param own - options that override those of the user */
export function openClient(connection: Connection, own: typeof FAIL_FAST | typeof WAIT_FOREVER): Client {
  let isLeaving = false;
  /**
   * After a failover, the old primary is a replica and refuses to write: connects to the new primary. Once, however
   * many commands are refused.
   */
  const reconnectOnError = ({ message }: Error): boolean => {
    if (isLeaving || !message.includes("READONLY")) return false;
    return (isLeaving = true);
  };
  const options = { ...connection.options, ...COMMON, ...own, reconnectOnError };
  // The first argument wins: a query in the URL must not change how the inbox waits and fails.
  const client = Reflect.construct(Redis, [options, connection.url]) as Client;
  return ignoringErrors(client).on("ready", () => (isLeaving = false));
}

/** Without a listener, ioredis prints its errors. Each command that an error affects rejects anyway. */
export function ignoringErrors(client: Client): Client {
  // Every caller that waits adds a listener, and so does BullMQ.
  return client.setMaxListeners(Infinity).on("error", () => undefined);
}

/**
 * Sends the commands of one turn of the event loop in one write. A write for each takes 7 to 16 % more CPU in handling.
 */
export function gatherWrites(client: Client): void {
  const send = client.sendCommand.bind(client);
  let gathering: { readonly stream: Client["stream"]; readonly since: number } | undefined;
  const write = (): void => {
    gathering?.stream.uncork();
    gathering = undefined;
  };
  client.sendCommand = (...command) => {
    if (gathering === undefined && client.status === "ready") {
      gathering = { stream: client.stream, since: performance.now() };
      client.stream.cork();
      setImmediate(write);
    }
    const reply = send(...command);
    if (gathering !== undefined && performance.now() - gathering.since > MAX_GATHER_MS) write();
    return reply;
  };
}

/**
 * Resolves when commands can be sent.
 *
 * @param deadline - in milliseconds since the epoch
 * @param isPatient - whether to wait for another attempt to connect if one fails
 * @throws Error if the deadline is over, or the client is released
 */
export function whenReady(client: Client, deadline: number, isPatient = true): Promise<void> {
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
    const isError = (error: unknown): void => {
      last = error;
      if (!isPatient) isOver();
    };
    const timer = setTimeout(isOver, Math.max(deadline - Date.now(), 0));
    client.on("ready", isReady).on("end", isOver).on("error", isError);
    if (client.status === "end") isOver();
  });
}

/** Releases a client in any state. Commands that wait for a reply are rejected soon after. */
export function release(client: Client): void {
  if (client.status === "end") return;
  // Between two attempts to connect, ioredis would neither end nor reject the waiting commands.
  if (client.status === "reconnecting" || client.status === "close") client.connect().catch(() => undefined);
  client.disconnect();
}
