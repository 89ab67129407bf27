// An inbox in Postgres, to copy and to adapt. docs/inbox.md says what it must hold to, and where it does.

import type {
  DeadLetter,
  InboxOutcome,
  InboxStats,
  InboxWork,
  KeptMessage,
  OperableInbox,
  SmsMessage,
} from "express-kaleyra-sms";

/**
 * A `Pool` of `pg`, or whatever else answers like one. Give it a `connectionTimeoutMillis` and a `query_timeout`: without them, a database
 * that is silent is waited for without end, and what waits for it has no bound.
 */
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
 * For your migrations. `turn` counts how often a message was taken out, and is never set back. `due_at` is when a waiting message may be taken
 * out, when the lease of a running one ends, and since when any other is what it is; by the database's clock, since those of several
 * machines differ. A done one keeps its key and nothing else.
 */
export const SCHEMA = `
  create table incoming_sms (
    seq bigint generated always as identity primary key,
    key text not null unique,
    source text,
    message text,
    state text not null default 'waiting',
    attempts integer not null default 0,
    turn integer not null default 0,
    due_at timestamptz not null default now(),
    reason text
  );
  create index incoming_sms_due on incoming_sms (due_at) where state in ('waiting', 'running');
  create index incoming_sms_source on incoming_sms (source, seq) where state <> 'done';
  create index incoming_sms_dead on incoming_sms (seq) where state = 'dead';
  create index incoming_sms_done on incoming_sms (due_at) where state = 'done';
`;

const POLL_MS = 200;
const TOLD_MS = 1_000;
const PRUNE_MS = 1_000;
const PRUNED = 1_000;
const LONGEST_BACKOFF_MS = 86_400_000;
/** For how long closing tries to write how a message ended. After that, its lease runs out. */
const CLOSING_MS = 2_000;

const STORE = `
  insert into incoming_sms as kept (key, source, message) values ($1, $2, $3)
  on conflict (key) do update set state = 'waiting', attempts = 0, due_at = now(), reason = null where kept.state = 'dead'
  returning seq`;

/**
 * What is due, or ran in a process that is dead; of one source the oldest only, and not beside one that runs, which is younger where the
 * oldest was replayed.
 */
const TAKE = `
  with next as (
    select seq from incoming_sms as one
    where state in ('waiting', 'running') and due_at <= now() and (state = 'waiting' or $3) and not exists (
      select 1 from incoming_sms as other
      where other.source = one.source and other.state in ('waiting', 'running')
        and (other.seq < one.seq or (other.seq > one.seq and other.state = 'running' and other.due_at > now())))
    order by due_at limit $1 for update skip locked)
  update incoming_sms as kept
  set state = 'running', attempts = attempts + 1, turn = turn + 1, due_at = now() + $2 * interval '1 ms'
  from next where kept.seq = next.seq
  returning kept.seq::text, kept.message, kept.attempts, kept.turn`;

/** Only who has taken it out may say how it ended: after a lease, another may have. */
const THIS_TURN = "seq = $1::bigint and turn = $2 and state = 'running'";
const DONE = `update incoming_sms set state = 'done', source = null, message = null, due_at = now() where ${THIS_TURN}`;
const AGAIN = `update incoming_sms set state = 'waiting', attempts = $3, due_at = now() + $4 * interval '1 ms' where ${THIS_TURN}`;
const DEAD = `update incoming_sms set state = 'dead', attempts = $3, reason = $4, due_at = now() where ${THIS_TURN}`;

const RENEW = `
  update incoming_sms as kept set due_at = now() + $3 * interval '1 ms'
  from unnest($1::bigint[], $2::integer[]) as held (seq, turn)
  where kept.seq = held.seq and kept.turn = held.turn and kept.state = 'running'`;

const PRUNE = `
  delete from incoming_sms where seq in (
    select seq from incoming_sms where state = 'done' and due_at < now() - $1 * interval '1 ms'
    order by due_at limit ${PRUNED} for update skip locked)`;

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

const GET = `
  select case when state = 'waiting' and due_at > now() then 'delayed' else state end as state, message, attempts, reason
  from incoming_sms where key = $1 and state <> 'done'`;

const REPLAY_ALL = `
  update incoming_sms set state = 'waiting', attempts = 0, due_at = now(), reason = null where state = 'dead'`;
const REPLAY = `${REPLAY_ALL} and key = $1 returning seq`;

const DISCARD = `
  update incoming_sms set state = 'done', source = null, message = null, reason = null, due_at = now()
  where state = 'dead' and key = $1 returning seq`;

const FORGET = `
  update incoming_sms set state = 'done', source = null, message = null, reason = null, due_at = now()
  where state <> 'done' and source = $1 returning seq`;

interface Taken {
  readonly seq: string;
  readonly message: string;
  readonly attempts: number;
  readonly turn: number;
}

export function postgresInbox(options: Options): OperableInbox {
  const { pool, attempts = 5, backoffMs = 1_000, retentionMs = 604_800_000, leaseMs = 15_000 } = options;
  const held = new Map<string, Taken>();
  let working: Promise<void> | undefined;
  let isClosing = false;
  let isWoken = false;
  let rouse = (): void => undefined;
  let toldAt = -Infinity;
  let renewedAt = -Infinity;
  let prunedAt = -Infinity;
  let failedAt = -Infinity;

  const rows = async <Row>(sql: string, values?: unknown[]): Promise<Row[]> => {
    try {
      return (await pool.query(sql, values)).rows as Row[];
    } catch (cause) {
      throw withoutValues(cause);
    }
  };

  const wake = (): void => {
    isWoken = true;
    rouse();
  };

  /** Until it is woken, or for `ms` milliseconds. */
  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, isWoken ? 0 : ms);
      rouse = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** Not more often than somebody wants to hear it. */
  const tell = (of: (cause: unknown) => void, cause: unknown): void => {
    if (performance.now() - toldAt < TOLD_MS) return;
    toldAt = performance.now();
    of(cause);
  };

  /** One round after the other, so that no more is taken out than there is room for. */
  const goRound = async (work: InboxWork): Promise<void> => {
    while (!isClosing || held.size > 0) {
      isWoken = false;
      try {
        await round(work);
      } catch (cause) {
        failedAt = performance.now();
        tell((failure) => work.failed(failure), cause);
      }
      if (!isClosing || held.size > 0) await rest(Math.min(POLL_MS, leaseMs / 6));
    }
  };

  const round = async (work: InboxWork): Promise<void> => {
    const now = performance.now();
    // Before anything is taken out: a lease that ran out while the database was away may be one's own, or of a process that lives.
    if (held.size > 0 && now - renewedAt >= leaseMs / 3) {
      const all = Array.from(held.values());
      await rows(RENEW, [all.map(({ seq }) => seq), all.map(({ turn }) => turn), leaseMs]);
      renewedAt = now;
    }
    if (isClosing) return;
    const room = work.concurrency - held.size;
    // After an outage, those that live have the time of a round or two to renew.
    const mayTakeOver = now - failedAt >= leaseMs / 3;
    const taken = room > 0 ? await rows<Taken>(TAKE, [room, leaseMs, mayTakeOver]) : [];
    for (const one of taken) {
      held.set(one.seq, one);
      void run(one, work);
    }
    if (now - prunedAt < PRUNE_MS) return;
    await rows(PRUNE, [retentionMs]);
    prunedAt = now;
  };

  const run = async (taken: Taken, work: InboxWork): Promise<void> => {
    const message = messageOf(taken.message);
    if (taken.attempts > attempts) {
      work.failed(cutShort(), message, attempts);
      await write(taken, { outcome: "failed", reason: "the process ended in each attempt" }, work);
    } else {
      const attempt = { attempt: taken.attempts, final: taken.attempts === attempts };
      await write(taken, await work.handle(message, attempt), work);
    }
    held.delete(taken.seq);
    wake();
  };

  /** Until it is written: what has ended must not be handled again because the database was away. */
  const write = async (taken: Taken, outcome: InboxOutcome, work: InboxWork): Promise<void> => {
    const since = performance.now();
    for (;;) {
      try {
        await rows(...ending(taken, outcome));
        return;
      } catch (cause) {
        tell((failure) => work.unwritten?.(failure), cause);
        if (isClosing && performance.now() - since >= CLOSING_MS) return;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  };

  const ending = ({ seq, turn, attempts: made }: Taken, outcome: InboxOutcome): [sql: string, values: unknown[]] => {
    if (outcome.outcome === "handled") return [DONE, [seq, turn]];
    if (outcome.outcome === "released") return [AGAIN, [seq, turn, made - 1, 0]];
    if (made >= attempts) return [DEAD, [seq, turn, attempts, outcome.reason]];
    return [AGAIN, [seq, turn, made, Math.min(backoffMs * 2 ** (made - 1), LONGEST_BACKOFF_MS)]];
  };

  return {
    leaseMs,
    store: async (message, signal) => {
      signal.throwIfAborted();
      const stored = await rows(STORE, [message.key, sourceOf(message.source), JSON.stringify(message)]);
      wake();
      return stored.length === 0 ? "duplicate" : "stored";
    },
    start: (work) => {
      working = goRound(work);
    },
    close: async () => {
      isClosing = true;
      wake();
      await working;
    },
    stats: async () => {
      const [stats] = await rows<InboxStats>(STATS, []);
      if (stats === undefined) throw new Error("The database gave no row where there always is one.");
      return stats;
    },
    deadLetters: async ({ limit = 100, after } = {}) => {
      if (after !== undefined) text("deadLetters({ after })", after);
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
    get: async (key) => {
      const [kept] = await rows<{
        state: KeptMessage["state"];
        message: string;
        attempts: number;
        reason: string | null;
      }>(GET, [text("get(key)", key)]);
      if (kept === undefined) return undefined;
      const { reason, ...others } = kept;
      return { ...others, message: messageOf(kept.message), ...(reason === null ? {} : { reason }) };
    },
    replay: async (key) => {
      const replayed = await rows(REPLAY, [text("replay(key)", key)]);
      wake();
      return replayed.length;
    },
    replayAll: async () => {
      const replayed = await rows(`${REPLAY_ALL} returning seq`);
      wake();
      return replayed.length;
    },
    discard: async (key) => (await rows(DISCARD, [text("discard(key)", key)])).length,
    forget: async (source) => (await rows(FORGET, [sourceOf(text("forget(source)", source))])).length,
  };
}

/**
 * One form for every way to write a number with its country. As JSON, which escapes what Postgres cannot store: U+0000, and half a surrogate
 * pair.
 */
function sourceOf(source: string): string {
  const digits = source.replace(/[\s\-\u2010-\u2015\u2212./()\p{Cf}]/gu, "");
  const [, number] = /^(?:\+|00)(\d{7,15})$/.exec(digits) ?? /^([1-9]\d{10,14})$/.exec(digits) ?? [];
  return JSON.stringify(number === undefined ? source : `+${number}`);
}

function messageOf(text: string): SmsMessage {
  const message = JSON.parse(text) as SmsMessage;
  Object.freeze(message.parts);
  Object.freeze(message.fields);
  return Object.freeze(message);
}

/** A driver's error may hold what was sent, in its text or beside it. One without a code is of the connection. */
function withoutValues(cause: unknown): Error {
  if (!(cause instanceof Error)) return new Error("The inbox's database failed.");
  const code = "code" in cause ? String(cause.code) : cause.message;
  return Object.assign(new Error(`The inbox's database failed: ${code}`), { code });
}

function cutShort(): Error {
  const error = new Error("The process ended in each attempt at the message.");
  return Object.assign(error, { code: "KALEYRA_SMS_CUT_SHORT" });
}

/** What may come from a request. */
function text(what: string, given: unknown): string {
  if (typeof given !== "string") throw new TypeError(`${what} takes a string.`);
  return given;
}
