// The options of the inbox: their defaults and checks.

import type { RedisOptions } from "ioredis";

import { invalidOption } from "../../base/errors.js";
import { isRecord } from "../../base/record.js";
import { readInboxOptions, type InboxOptions, type InboxSettings } from "../inbox-options.js";

/**
 * The options of `bullmqInbox`. Receivers and workers may be given different ones: `attempts` and `backoffMs` are those of the process that
 * stored a message, `retentionMs` and `leaseMs` those of the one that handles it.
 */
export interface BullmqInboxOptions extends InboxOptions {
  /**
   * Where Redis is: a URL (`redis://...`, or `rediss://...` for TLS), or options of ioredis, such as `host`, `port`, `password`, `tls` and
   * `sentinels`. Never an open client: the inbox opens connections of its own, up to three, and closes them. How they wait, fail and reconnect
   * is the inbox's own, whatever the options say.
   */
  readonly connection: string | RedisOptions;
  /**
   * The queue's name in BullMQ: one for each kind of router that shares a Redis. In braces where Redis is in cluster mode, such as `"{sms}"`: all
   * of a queue is on one node, which `connection` names. Default: `"express-kaleyra-sms"`.
   */
  readonly name?: string | undefined;
  /**
   * How many replicas must have a message before it is acknowledged, so that one of them may take over (Redis's `WAIT`). If fewer have it in time,
   * the callback is answered 503. Default: 0, with which a replica that takes over may lack what was acknowledged last.
   */
  readonly replicas?: number | undefined;
}

/** The same, checked and complete. */
export interface BullmqInboxSettings extends InboxSettings {
  readonly connection: string | RedisOptions;
  readonly name: string;
  readonly replicas: number;
}

const FACTORY = "bullmqInbox";
const DEFAULT_NAME = "express-kaleyra-sms";

/** @throws TypeError that names the option and what it takes */
export function readBullmqOptions(given: BullmqInboxOptions): BullmqInboxSettings {
  const settings = readInboxOptions(FACTORY, given, ["connection", "name", "replicas"]);
  const { connection, name = DEFAULT_NAME, replicas = 0 } = given;
  if (typeof name !== "string" || name === "" || name.includes(":"))
    throw invalidOption(`options.name of ${FACTORY} takes the name of a queue: a string, not empty, with no colon.`);
  if (!Number.isSafeInteger(replicas) || replicas < 0)
    throw invalidOption(`options.replicas of ${FACTORY} takes a whole number of replicas, at least 0.`);
  return { ...settings, connection: checked(connection), name, replicas };
}

function checked(connection: unknown): string | RedisOptions {
  if (typeof connection === "string" && /^rediss?:\/\//.test(connection)) return connection;
  if (!isRecord(connection))
    throw invalidOption(
      `options.connection of ${FACTORY} takes a URL that begins with redis:// or rediss://, or an object of ioredis options.`,
    );
  if (CLIENT.some((name) => typeof connection[name] === "function"))
    throw invalidOption(
      `options.connection of ${FACTORY} takes Redis options or a URL, and no open client: receiving needs a connection that fails at once, ` +
        "handling one that waits, and the inbox closes what it opens.",
    );
  if (typeof connection.keyPrefix === "string" && connection.keyPrefix !== "")
    throw invalidOption(
      `options.connection of ${FACTORY} takes no keyPrefix, which BullMQ cannot do: give options.name.`,
    );
  return connection;
}

/** What clients of Redis can do, and options cannot. */
const CLIENT = ["connect", "disconnect", "duplicate", "sendCommand"];
