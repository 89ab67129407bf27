// Where the processes keep what they share: in Redis or in PostgreSQL, as INBOX_URL says. Only one of the two is loaded.

export const INBOX_URL = process.env.INBOX_URL ?? "redis://localhost:6379";

/** `rediss://` is Redis over TLS. */
const ENGINES = { redis: "redis", rediss: "redis", postgres: "postgres", postgresql: "postgres" };

export const engine = ENGINES[INBOX_URL.split("://")[0]];
if (engine === undefined) throw new TypeError("INBOX_URL must begin with redis:// or postgres://.");

const { open } = await import(`./${engine}.js`);

export const { openInbox, openConsent, closeConnections } = open(INBOX_URL);
