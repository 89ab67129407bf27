// The options of `bullmqInbox`: their types, defaults and checks.

import type { RedisOptions } from "ioredis";

import { invalidOption } from "../../base/errors.js";
import { isRecord } from "../../base/record.js";
import { readInboxOptions, type InboxOptions, type InboxSettings } from "../inbox-options.js";

/**
 * The options of `bullmqInbox`. Processes may have different options. `attempts` and `backoffMs` are those of the
 * process that stored a message, `retentionMs` and `leaseMs` those of the process that handles it.
 */
export interface BullmqInboxOptions extends InboxOptions {
  /**
   * The address of Redis: a URL (`redis://...`, or `rediss://...` for TLS), options of ioredis, such as `host`, `port`,
   * `password`, `tls` and `sentinels`, or both: `{ url, tls: { ca } }`.
   *
   * Not an open client: the inbox opens up to three connections of its own, and closes them. It overrides the options
   * that control how a connection waits, fails and reconnects.
   */
  readonly connection: string | RedisPlaceOptions | RedisUrlOptions;
  /**
   * The queue's name in BullMQ. Give each kind of router that shares a Redis its own name. If Redis is in cluster mode,
   * put the name in braces, for instance `"{sms}"`: the whole queue is then on one node, which `connection` must name.
   * Default: `"express-kaleyra-sms"`.
   */
  readonly name?: string | undefined;
  /**
   * How many replicas must have a message before it is acknowledged (Redis's `WAIT`). If fewer have it in time, the
   * callback gets a 503.
   *
   * Default: 0. A replica that takes over may then lack the messages that were acknowledged last.
   */
  readonly replicas?: number | undefined;
}

/** Options of ioredis that say where Redis is. */
type RedisPlaceOptions = RedisOptions & { readonly url?: undefined };

/** A URL, and options of ioredis that are not in it. */
type RedisUrlOptions = Omit<RedisOptions, InUrl> & { readonly url: string } & Partial<Record<InUrl, undefined>>;

type InUrl = (typeof IN_URL)[number];

/** Where Redis is: `options` come on top of the `url`. */
export interface Connection {
  readonly url?: string;
  readonly options: RedisOptions;
}

/** The options, checked and with their defaults. */
export interface BullmqInboxSettings extends InboxSettings {
  readonly connection: Connection;
  readonly name: string;
  readonly replicas: number;
}

const FACTORY = "bullmqInbox";
const DEFAULT_NAME = "express-kaleyra-sms";

/** @throws TypeError if an option is unknown or has a wrong value */
export function readBullmqOptions(given: BullmqInboxOptions): BullmqInboxSettings {
  const settings = readInboxOptions(FACTORY, given, ["connection", "name", "replicas"]);
  const { connection, name = DEFAULT_NAME, replicas = 0 } = given;
  if (typeof name !== "string" || name === "" || name.includes(":"))
    throw invalidOption(`options.name of ${FACTORY} takes the name of a queue: a string, not empty, with no colon.`);
  if (!Number.isSafeInteger(replicas) || replicas < 0)
    throw invalidOption(`options.replicas of ${FACTORY} takes a whole number of replicas, at least 0.`);
  return { ...settings, connection: checked(connection), name, replicas };
}

function checked(connection: unknown): Connection {
  if (typeof connection === "string") return { url: checkedUrl(connection), options: {} };
  if (!isRecord(connection))
    throw invalidOption(
      `options.connection of ${FACTORY} takes ${URL_OF_REDIS}, an object of ioredis options, or { url, ...options }.`,
    );
  if (CLIENT_METHODS.some((name) => typeof connection[name] === "function"))
    throw invalidOption(
      `options.connection of ${FACTORY} takes Redis options or a URL, and no open client: ` +
        "receiving needs a connection that fails at once, handling one that waits, " +
        "and the inbox closes what it opens.",
    );
  if (typeof connection.keyPrefix === "string" && connection.keyPrefix !== "") throw noKeyPrefix();
  const { url, ...options } = connection;
  if (url === undefined) return { options };
  const twice = IN_URL.find((name) => options[name] !== undefined);
  if (twice !== undefined)
    throw invalidOption(
      `options.connection of ${FACTORY} takes url or ${twice}, not both: the URL says where Redis is.`,
    );
  return { url: checkedUrl(url), options };
}

/** The error does not contain the URL, which may contain a password. */
function checkedUrl(url: unknown): string {
  if (typeof url === "string" && /^rediss?:\/\//.test(url) && URL.canParse(url)) {
    const { username, password, searchParams } = new URL(url);
    if (searchParams.has("keyPrefix")) throw noKeyPrefix();
    if (isDecodable(username) && isDecodable(password)) return url;
  }
  throw invalidOption(`options.connection of ${FACTORY} takes ${URL_OF_REDIS}.`);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function noKeyPrefix(): TypeError {
  return invalidOption(
    `options.connection of ${FACTORY} takes no keyPrefix, which BullMQ cannot do: give options.name.`,
  );
}

const URL_OF_REDIS = "a URL that begins with redis:// or rediss://, with user and password percent-encoded";

/** Options that say where Redis is, as a URL does. */
const IN_URL = ["host", "port", "path", "sentinels"] as const satisfies ReadonlyArray<keyof RedisOptions>;

/** Methods by which an open client is recognized. */
const CLIENT_METHODS = ["connect", "disconnect", "duplicate", "sendCommand"];
