// Makes the inbox's tables when it is first used, and checks that the server fits.

import { codedError, invalidOption } from "../../base/errors.js";
import { databaseFailed, isMissing, isOfStatement, sqlStateOf, wrongIsolation } from "./failure.js";
import type { PostgresInboxSettings } from "./postgres-options.js";
import type { Requests, Row } from "./requests.js";
import { identifier, SET_UP, VERSIONS } from "./sql.js";

/** PostgreSQL 13. */
const MIN_SERVER = 130_000;
/** The rights that are missing. */
const NOT_ALLOWED = "42501";

export class SetUp {
  readonly #requests: Requests;
  readonly #settings: PostgresInboxSettings;
  readonly #isExisting: boolean;
  #inbox: Promise<number> | undefined;

  /** @param isExisting - whether to make neither tables nor an inbox */
  constructor(requests: Requests, settings: PostgresInboxSettings, isExisting: boolean) {
    this.#requests = requests;
    this.#settings = settings;
    this.#isExisting = isExisting;
  }

  /** The number of the inbox. Rejects until the tables are there; tries again with each call. */
  inbox(): Promise<number> {
    return (this.#inbox ??= this.#open().catch((error: unknown) => {
      this.#inbox = undefined;
      throw error;
    }));
  }

  /** To be called with the error of a statement: if the tables are gone, they are made again. */
  failed(error: unknown): void {
    if (isMissing(error)) this.#inbox = undefined;
  }

  /** The error for users: it contains nothing that was sent. */
  errorOf(error: unknown): Error {
    return sqlStateOf(error) === NOT_ALLOWED ? this.#notAllowed() : databaseFailed(error);
  }

  async #open(): Promise<number> {
    const { schema, name } = this.#settings;
    const [server] = await this.#requests.rows(SET_UP.server, [`${identifier(schema)}.sms_version`]);
    checkServer(server ?? {});
    const isThere = Number(server?.tables) === 1;
    const version = isThere ? await this.#version() : 0;
    if (version < VERSIONS.length) {
      if (this.#isExisting) throw isThere ? this.#tooOld(version) : this.#notThere();
      await this.#migrate(version);
    }
    const found = await this.#requests.rows(SET_UP.find(schema), [name]);
    if (found[0] !== undefined) return Number(found[0].id);
    // A number that no inbox has: it is empty.
    if (this.#isExisting) return 0;
    const added = await this.#requests.rows(SET_UP.add(schema), [name]);
    return Number(added[0]?.id);
  }

  async #version(): Promise<number> {
    const [row] = await this.#requests.rows(SET_UP.version(this.#settings.schema));
    const version = Number(row?.version);
    if (version > VERSIONS.length) throw this.#tooNew(version);
    return version;
  }

  /** @param seen - the version before the lock: another process may make the tables meanwhile */
  async #migrate(seen: number): Promise<void> {
    const { schema } = this.#settings;
    await this.#requests.withClient(async (run) => {
      await run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
      try {
        await run(SET_UP.lock, [schema]);
        const [there] = await run(SET_UP.schema, [schema, `${identifier(schema)}.sms_version`]);
        if (Number(there?.schema) !== 1) await run(`CREATE SCHEMA ${identifier(schema)}`);
        const [row] = Number(there?.tables) === 1 ? await run(SET_UP.version(schema)) : [];
        const version = Number(row?.version ?? seen);
        if (version > VERSIONS.length) throw this.#tooNew(version);
        if (version < VERSIONS.length) {
          // For this transaction: the tables are named without their schema.
          await run(`SET LOCAL search_path = ${identifier(schema)}`);
          for (const sql of VERSIONS.slice(version)) await run(sql(identifier(schema)));
          await run(SET_UP.setVersion(schema, VERSIONS.length));
        }
        await run("COMMIT");
      } catch (error) {
        // If that fails, the connection is closed, and the server rolls back by itself.
        await run("ROLLBACK").catch((lost: unknown) => {
          throw isOfStatement(error) ? lost : error;
        });
        throw error;
      }
    });
  }

  #notThere(): Error {
    return invalidOption(
      "options.schema of postgresInbox takes the schema of an inbox: " +
        `the database has none of the name ${this.#settings.schema}.`,
    );
  }

  #tooNew(version: number): Error {
    return unfit(
      `The tables in the schema ${identifier(this.#settings.schema)} have version ${version}: they are of a newer ` +
        `express-kaleyra-sms than this one, which knows version ${VERSIONS.length}. Update express-kaleyra-sms.`,
    );
  }

  #tooOld(version: number): Error {
    return unfit(
      `The tables in the schema ${identifier(this.#settings.schema)} have version ${version}: they are of an older ` +
        `express-kaleyra-sms than this one, which needs version ${VERSIONS.length}. Start the app with this ` +
        `express-kaleyra-sms, which updates the tables, or use the command of the one that the app has.`,
    );
  }

  #notAllowed(): Error {
    const schema = identifier(this.#settings.schema);
    return unfit(
      `The role of the pool may not make or use the tables of the inbox. As the owner of the database, run: ` +
        `CREATE SCHEMA IF NOT EXISTS ${schema}; GRANT USAGE, CREATE ON SCHEMA ${schema} TO role; ` +
        `and, if another role made the tables: ` +
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO role; ` +
        `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} TO role;`,
    );
  }
}

function checkServer({ server, encoding, isolation }: Row): void {
  if (Number(server) < MIN_SERVER)
    throw unfit(
      `postgresInbox needs PostgreSQL 13 or newer, and this server has ${Number(server)}. Update the server.`,
    );
  if (encoding !== "UTF8")
    throw unfit(
      `postgresInbox needs a database with the encoding UTF8, and this one has ${String(encoding)}: ` +
        "CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0.",
    );
  if (isolation !== "read committed") throw wrongIsolation();
}

function unfit(message: string): Error {
  return codedError("KALEYRA_SMS_INBOX_DATABASE_UNFIT", { message });
}
