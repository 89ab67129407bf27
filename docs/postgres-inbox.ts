// An inbox in Postgres, to copy and to adapt. docs/inbox.md says what it must hold to, and where it does.

import type { DeadLetter, Inbox, InboxOutcome, InboxStats, InboxWork, SmsMessage } from "express-kaleyra-sms";

/** A `Pool` of `pg`, or whatever else answers like one. */
interface Postgres {
  query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

interface Options {
  readonly pool: Postgres;
  readonly attempts?: number | undefined;
  readonly backoffMs?: number | undefined;
  readonly retentionMs?: number | undefined;
  readonly leaseMs?: number | undefined;
}

/**
 * For your migrations. `due_at` is when a waiting message may be taken out, when the lease of a running one ends, and since when any other is
 * what it is; by the database's clock, since those of several machines differ. A done one keeps its key and nothing else.
 */
export const SCHEMA = `
  create table incoming_sms (
    seq bigint generated always as identity primary key,
    key text not null unique,
    source text,
    message text,
    state text not null default 'waiting',
    attempts integer not null default 0,
    due_at timestamptz not null default now(),
    reason text
  );
  create index incoming_sms_due on incoming_sms (due_at) where state in ('waiting', 'running');
  create index incoming_sms_source on incoming_sms (source, seq) where state in ('waiting', 'running');
  create index incoming_sms_done on incoming_sms (due_at) where state = 'done';
`;

const POLL_MS = 200;
const TOLD_MS = 1_000;
const PRUNED = 100;

const STORE = `
  insert into incoming_sms as kept (key, source, message) values ($1, $2, $3)
  on conflict (key) do update set state = 'waiting', attempts = 0, due_at = now(), reason = null where kept.state = 'dead'
  returning seq`;

/** What is due, or ran in a process that is dead; of one source, the oldest only. */
const TAKE = `
  with next as (
    select seq from incoming_sms as one
    where state in ('waiting', 'running') and due_at <= now() and not exists (
      select 1 from incoming_sms as older
      where older.source = one.source and older.seq < one.seq and older.state in ('waiting', 'running'))
    order by due_at limit $1 for update skip locked)
  update incoming_sms as taken set state = 'running', attempts = attempts + 1, due_at = now() + $2 * interval '1 ms'
  from next where taken.seq = next.seq
  returning taken.seq::text, taken.message, taken.attempts`;

/** Only the process that made this very attempt may say how it ended: after a lease another may have made the next. */
const THIS_ATTEMPT = "seq = $1::bigint and attempts = $2 and state = 'running'";
const DONE = `update incoming_sms set state = 'done', source = null, message = null, due_at = now() where ${THIS_ATTEMPT}`;
const AGAIN = `update incoming_sms set state = 'waiting', attempts = $3, due_at = now() + $4 * interval '1 ms' where ${THIS_ATTEMPT}`;
const DEAD = `update incoming_sms set state = 'dead', reason = $3, due_at = now() where ${THIS_ATTEMPT}`;

const RENEW = `
  update incoming_sms as kept set due_at = now() + $3 * interval '1 ms'
  from unnest($1::bigint[], $2::integer[]) as held (seq, attempts)
  where kept.seq = held.seq and kept.attempts = held.attempts and kept.state = 'running'`;

const PRUNE = `
  delete from incoming_sms where seq in (
    select seq from incoming_sms where state = 'done' and due_at < now() - $1 * interval '1 ms' limit ${PRUNED})`;

const STATS = `
  select count(*) filter (where state = 'waiting' and due_at <= now())::integer as waiting,
         count(*) filter (where state = 'running')::integer as running,
         count(*) filter (where state = 'waiting' and due_at > now())::integer as delayed,
         count(*) filter (where state = 'dead')::integer as dead,
         coalesce(extract(epoch from now() - min(due_at) filter (where state = 'waiting' and due_at <= now())), 0)::float8 * 1000
           as "oldestWaitingMs"
  from incoming_sms where state <> 'done'`;

const LETTERS = `
  select key, message, attempts, reason, due_at as "failedAt" from incoming_sms
  where state = 'dead' and seq > coalesce((select seq from incoming_sms where key = $1), 0) order by seq limit $2`;

const REPLAY = `
  update incoming_sms set state = 'waiting', attempts = 0, due_at = now(), reason = null
  where state = 'dead' and (key = $1 or $1 = 'all') returning seq`;

const FORGET = `
  update incoming_sms set state = 'done', source = null, message = null, reason = null, due_at = now() where source = $1 returning seq`;

interface Taken {
  readonly seq: string;
  readonly message: string;
  readonly attempts: number;
}

export function postgresInbox(options: Options): Inbox {
  const { pool, attempts = 5, backoffMs = 1_000, retentionMs = 604_800_000, leaseMs = 15_000 } = options;
  const held = new Map<string, { readonly taken: Taken; readonly ended: Promise<void> }>();
  let work: InboxWork | undefined;
  let isClosing = false;
  let polling: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let renewal: NodeJS.Timeout | undefined;
  let toldAt = -Infinity;

  const rows = async <Row>(sql: string, values?: unknown[]): Promise<Row[]> =>
    (await pool.query(sql, values)).rows as Row[];
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  /** Not more often than somebody wants to hear it. */
  const tell = (cause: unknown): void => {
    if (performance.now() - toldAt < TOLD_MS) return;
    toldAt = performance.now();
    work?.failed(cause);
  };

  /** One at a time, so that no more is taken out than there is room for. */
  const poll = (): void => {
    clearTimeout(timer);
    polling ??= takeOut()
      .catch(tell)
      .then(() => {
        polling = undefined;
        if (!isClosing) timer = setTimeout(poll, POLL_MS);
      });
  };

  const takeOut = async (): Promise<void> => {
    if (work === undefined || isClosing || held.size >= work.concurrency) return;
    const taken = await rows<Taken>(TAKE, [work.concurrency - held.size, leaseMs]);
    for (const one of taken) held.set(one.seq, { taken: one, ended: run(one, work) });
    await pool.query(PRUNE, [retentionMs]);
  };

  const run = async (taken: Taken, by: InboxWork): Promise<void> => {
    const message = messageOf(taken.message);
    if (taken.attempts > attempts) {
      by.failed(new Error("The process ended in each attempt at the message."), message, attempts);
      await written(taken, { outcome: "failed", reason: "the process ended in each attempt" });
    } else {
      const attempt = { attempt: taken.attempts, final: taken.attempts === attempts };
      await written(taken, await by.handle(message, attempt));
    }
    held.delete(taken.seq);
    poll();
  };

  /** Until it is written: what has ended must not be handled again because the database was away. */
  const written = async (taken: Taken, outcome: InboxOutcome): Promise<void> => {
    for (;;) {
      try {
        await write(taken, outcome);
        return;
      } catch (cause) {
        tell(cause);
        // The lease runs out, and another process tries again.
        if (isClosing) return;
        await sleep(POLL_MS);
      }
    }
  };

  const write = ({ seq, attempts: made }: Taken, outcome: InboxOutcome): Promise<unknown> => {
    if (outcome.outcome === "handled") return pool.query(DONE, [seq, made]);
    if (outcome.outcome === "released") return pool.query(AGAIN, [seq, made, made - 1, 0]);
    if (made < attempts) return pool.query(AGAIN, [seq, made, made, backoffMs * 2 ** (made - 1)]);
    return pool.query(DEAD, [seq, made, outcome.reason]);
  };

  const renew = (): void => {
    const all = Array.from(held.values(), ({ taken }) => taken);
    if (all.length === 0) return;
    const values = [all.map(({ seq }) => seq), all.map((one) => one.attempts), leaseMs];
    pool.query(RENEW, values).catch(tell);
  };

  return {
    store: async (message) => {
      const [stored] = await rows(STORE, [message.key, message.source, JSON.stringify(message)]);
      if (stored !== undefined && work !== undefined) poll();
      return stored === undefined ? "duplicate" : "stored";
    },
    start: (given) => {
      work = given;
      renewal = setInterval(renew, leaseMs / 3);
      poll();
    },
    close: async () => {
      isClosing = true;
      clearTimeout(timer);
      await polling;
      await Promise.all(Array.from(held.values(), ({ ended }) => ended));
      clearTimeout(timer);
      clearInterval(renewal);
    },
    stats: async () => {
      const [stats] = await rows<InboxStats>(STATS, []);
      if (stats === undefined) throw new Error("The database gave no row where there always is one.");
      return stats;
    },
    deadLetters: async ({ limit = 100, after } = {}) => {
      if (!Number.isSafeInteger(limit) || limit < 1)
        throw new TypeError("deadLetters({ limit }) takes a whole number of at least 1.");
      const letters = await rows<Omit<DeadLetter, "message"> & { message: string; failedAt: Date | string }>(LETTERS, [
        after,
        limit,
      ]);
      return letters.map((letter) => ({
        ...letter,
        message: messageOf(letter.message),
        failedAt: new Date(letter.failedAt).toISOString(),
      }));
    },
    replay: async (key) => {
      const replayed = await rows(REPLAY, [key]);
      if (work !== undefined) poll();
      return replayed.length;
    },
    forget: async (source) => (await rows(FORGET, [source])).length,
  };
}

function messageOf(text: string): SmsMessage {
  const message = JSON.parse(text) as SmsMessage;
  Object.freeze(message.parts);
  Object.freeze(message.fields);
  return Object.freeze(message);
}
