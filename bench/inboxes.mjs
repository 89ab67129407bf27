// The inboxes that are measured, each opened on a place of its own.

/**
 * @param place - `file` of an SQLite database, `port` of a Redis server or `url` of PostgreSQL, and the `name` of a
 * queue
 */
export async function openInbox(kind, { file, port, url, name }) {
  switch (kind) {
    case "none":
      return undefined;
    case "sqlite":
    case "sqlite-in-process": {
      const { sqliteInbox } = await import("express-kaleyra-sms/sqlite");
      return sqliteInbox(kind === "sqlite" ? { file } : { file, thread: false });
    }
    case "sqlite-each":
      return oneTransactionEach(await openDatabase(file));
    case "bullmq": {
      const { bullmqInbox } = await import("express-kaleyra-sms/bullmq");
      return bullmqInbox({ connection: { host: "127.0.0.1", port }, name });
    }
    case "postgres": {
      const { postgresInbox } = await import("express-kaleyra-sms/postgres");
      const { default: pg } = await import("pg");
      return postgresInbox({ pool: new pg.Pool({ connectionString: url }), schema: name });
    }
    default:
      throw new Error(`There is no inbox "${kind}".`);
  }
}

/** Opens a file with Node's own driver, if it has one, otherwise with libsql. */
export async function openDatabase(file) {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) return new (await import("node:sqlite")).DatabaseSync(file);
  return new (await import("libsql")).default(file);
}

/**
 * What is quickly written: one INSERT, and so one transaction, for each callback. It does not even note what was
 * handled.
 */
function oneTransactionEach(database) {
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec("CREATE TABLE message (key TEXT PRIMARY KEY, body TEXT NOT NULL)");
  const insert = database.prepare("INSERT INTO message (key, body) VALUES (?, ?)");
  let work;
  return {
    store: async (message) => {
      insert.run(message.key, JSON.stringify(message));
      setImmediate(() => work.handle(message, { attempt: 1, final: true }));
      return "stored";
    },
    start: (given) => (work = given),
    close: async () => database.close(),
  };
}
