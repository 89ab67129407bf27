// The options of `postgresInbox`: their types, defaults and checks.

import { invalidOption } from "../../base/errors.js";
import { readInboxOptions, type InboxOptions, type InboxSettings } from "../inbox-options.js";
import { readPool, type PostgresPool } from "./pool.js";

/** The options of `postgresInbox`. */
export interface PostgresInboxOptions extends InboxOptions {
  /**
   * Your pool: a `Pool` of `pg`. The inbox keeps one client for as long as it hands messages out, to listen for messages
   * that other processes store. It takes others for a statement each: for what it writes, and beside that for `stats`,
   * for notifications and to remove old keys. Close the pool yourself, after `sms.close()`.
   *
   * Give it a `connectionTimeoutMillis`: without one, the pool waits for a server that is silent.
   */
  readonly pool: PostgresPool;
  /** The schema of the inbox's tables, which is made if it is not there. Default: `"express_kaleyra_sms"`. */
  readonly schema?: string | undefined;
  /** The inbox's name: a schema may have several inboxes. Default: `"express-kaleyra-sms"`. */
  readonly name?: string | undefined;
}

/** The options, checked and with their defaults. */
export interface PostgresInboxSettings extends InboxSettings {
  readonly pool: PostgresPool;
  readonly schema: string;
  readonly name: string;
}

const FACTORY = "postgresInbox";
const DEFAULT_SCHEMA = "express_kaleyra_sms";
const DEFAULT_NAME = "express-kaleyra-sms";
/** PostgreSQL shortens longer names, so that two of them may be the same. */
const MAX_SCHEMA_BYTES = 63;

/** @throws TypeError if an option is unknown or has a wrong value */
export function readPostgresOptions(given: PostgresInboxOptions): PostgresInboxSettings {
  const settings = readInboxOptions(FACTORY, given, ["pool", "schema", "name"]);
  const { schema = DEFAULT_SCHEMA, name = DEFAULT_NAME } = given;
  if (!isText(schema) || Buffer.byteLength(schema) > MAX_SCHEMA_BYTES)
    throw invalidOption(
      `options.schema of ${FACTORY} takes the name of a schema: a string of 1 to ${MAX_SCHEMA_BYTES} bytes.`,
    );
  if (!isText(name))
    throw invalidOption(`options.name of ${FACTORY} takes the name of the inbox: a string, not empty.`);
  return { ...settings, pool: readPool(given.pool), schema, name };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.isWellFormed() && !value.includes("\0");
}
