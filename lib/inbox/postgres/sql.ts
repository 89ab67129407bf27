// All SQL of the inbox: its tables, and the functions that change them. Each function is one round trip, and one
// transaction.
//
// 1. Parts: the states of a message, and what several functions share
// 2. Tables
// 3. Why no message is left behind: the rules that every function keeps
// 4. Steps of functions: the next message of a source, dead letters that get their attempts again
// 5. A round: what came, started and ended in a process, and what it takes
// 6. Dead processes
// 7. What an operator calls: forget, replay, stats
// 8. Versions: how tables and functions are made
// 9. Statements: what the inbox sends

// 1. Parts

/**
 * The state of a message until it is done. Of each source, at most one message is a head: `waiting`, `running`, or `held`
 * by a process that will run it next. Later ones are `behind`. Dead letters and unreadable rows are neither.
 */
export const STATE = { held: -1, waiting: 0, running: 1, behind: 2, dead: 3, unreadable: 4 } as const;
const HEAD = `state <= ${STATE.running}`;
const ASIDE = `state >= ${STATE.dead}`;

/** The state in which nothing may be stored: what is `behind` could be left there. */
export const WRONG_ISOLATION = "KSMS1";
/** A request that came late: the process has sent another one since, and does not know what this one would take. */
export const STALE = "KSMS2";

const NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
/** When the statement began: an index can be searched for it. */
const BEGUN = "(extract(epoch FROM statement_timestamp()) * 1000)::bigint";

/** Whether a row is the head of a source. */
const IS_HEAD = (source: string): string => `inbox + 0 = p_inbox AND source = ${source} AND ${HEAD}`;
/** The head of a source, locked. At most one row. */
const LOCKED_HEAD = (source: string): string =>
  `(SELECT seq FROM sms_message WHERE ${IS_HEAD(source)} LIMIT 1 FOR UPDATE)`;
/** Removes messages that are done, and keeps their keys. */
const END = (which: string): string => `
    WITH gone AS (DELETE FROM sms_message WHERE ${which} RETURNING key, seq)
    INSERT INTO sms_done (inbox, key, seq, at) SELECT p_inbox, key, seq, now_ FROM gone
    ON CONFLICT (inbox, key) DO UPDATE SET at = excluded.at;`;
/** `source` in one order in every transaction: otherwise two of them might wait for each other. */
const SORTED = (sources: string): string =>
  `(SELECT DISTINCT one COLLATE "C" AS source FROM unnest(${sources}) AS one ORDER BY 1)`;
/** `null` if there is no such row. As a subquery with a limit, it is always an index lookup, whatever the statistics say. */
const IS_DONE = (key: string): string =>
  `(SELECT true FROM sms_done WHERE inbox + 0 = p_inbox AND key = ${key} LIMIT 1)`;
const IS_KEPT = (key: string): string =>
  `(SELECT true FROM sms_message WHERE inbox + 0 = p_inbox AND key = ${key} LIMIT 1)`;
const AGE = `${BEGUN} - min(at)`;
const NEXT_DUE = `(SELECT at FROM sms_message WHERE inbox = p_inbox AND state = ${STATE.waiting} ORDER BY at, seq LIMIT 1)`;

/**
 * How every function runs. The plans must not depend on statistics: those of a queue are old when they are made, and a
 * plan for ten rows that is kept reads a million. So only index lookups are allowed, and each plan is made once.
 *
 * What waits for a lock goes on when its client has given up, and keeps a connection of the server. So it gives up first.
 */
const settings = (schema: string): string => `
  SET search_path = ${schema}, pg_temp
  SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off
  SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan
  SET lock_timeout = '2s'`;

/** The first step of every function that changes messages. */
const BEGIN = `
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = '${WRONG_ISOLATION}', MESSAGE = 'not read committed';
  END IF;
  -- Until the end of this transaction: what is acknowledged must be on the disk.
  IF current_setting('synchronous_commit') = 'off' THEN PERFORM set_config('synchronous_commit', 'on', true); END IF;`;

// 2. Tables

/**
 * The tables of version 1. `inbox` is the number of the inbox, since a schema may have several. All instants are in
 * milliseconds since the epoch, by the clock of the server.
 * - `seq` is the order of arrival within a source.
 * - `attempts` counts those that have begun. A held message has none: it may begin before its row says so.
 * - `at` is when a waiting message can be taken, or could when it was held. In any other state, it is when the message
 *   entered that state.
 * - `body` is null if the message was forgotten while it ran.
 * - `sms_done` keeps the key of a message that was handled, discarded or forgotten, and the place it had.
 * - `sms_process.turn` is the number of the last request of that process.
 *
 * Texts are compared byte by byte: the order of other collations changes with the operating system. Each table has a
 * primary key: in a database whose publication has all tables, rows of a table without one cannot be updated.
 *
 * The planner knows little of a table that was empty when it looked, and it keeps its choice: any index that fits a
 * search looks as good as the right one. So only the right one fits. No two begin with the same column, `inbox + 0` fits
 * none, and a search by key or source names no state that is the condition of another index.
 */
const TABLES = `
CREATE TABLE sms_version (
  version integer PRIMARY KEY
);
INSERT INTO sms_version VALUES (0);
CREATE TABLE sms_inbox (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE
);
CREATE TABLE sms_process (
  id bigint PRIMARY KEY,
  inbox integer NOT NULL,
  turn bigint NOT NULL,
  until bigint NOT NULL
) WITH (fillfactor = 20);
CREATE TABLE sms_message (
  seq bigint GENERATED ALWAYS AS IDENTITY,
  inbox integer NOT NULL,
  key text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  body text,
  state smallint NOT NULL,
  attempts integer NOT NULL,
  at bigint NOT NULL,
  owner bigint,
  reason text,
  PRIMARY KEY (key, inbox)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE UNIQUE INDEX sms_message_head ON sms_message (source, inbox) WHERE ${HEAD};
CREATE INDEX sms_message_due ON sms_message (inbox, at, seq) WHERE state = ${STATE.waiting};
CREATE INDEX sms_message_owner ON sms_message (owner) WHERE owner IS NOT NULL;
CREATE INDEX sms_message_behind ON sms_message (source, seq) INCLUDE (inbox, at) WHERE state = ${STATE.behind};
CREATE INDEX sms_message_dead ON sms_message (inbox, seq) WHERE state = ${STATE.dead};
CREATE INDEX sms_message_aside ON sms_message (source, inbox) WHERE ${ASIDE};
CREATE TABLE sms_done (
  inbox integer NOT NULL,
  key text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  at bigint NOT NULL,
  PRIMARY KEY (key, inbox)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX sms_done_at ON sms_done (inbox, at);`;

// 3. Why no message is left behind

/*
 * The promise: when no transaction is open, each source with a message that is behind has a head. Every transaction
 * keeps these rules, under READ COMMITTED, in which each statement sees what was committed before it began.
 *
 * 1. A message becomes `behind` only in a transaction that holds the lock of the source's head, or has inserted that
 *    head itself. It holds either until it ends.
 * 2. A head ends only in a transaction that holds its lock. A later statement of the same transaction makes the first
 *    message that is behind a head, unless there is one. It sees what was added before the lock was got.
 * 3. A message that is behind changes only in a transaction that holds the lock of the head, or has ended that head.
 *
 * Two transactions at one source, A adds a message behind the head, and B ends the head:
 * - A has the lock first: B waits until A is committed. Its later statement sees A's message, and makes it a head.
 * - B has the lock first: A waits until B is committed. A inserts a message or locks the head in one statement, for
 *   which the unique index decides, whatever A can see: if B has made a head, A locks that one. Otherwise, A's message is
 *   the head.
 * - A has inserted the head: B does not see it. Nobody can end it before A is committed.
 * Two that insert a head: the second one waits for the first, and then locks its head.
 *
 * Why two transactions seldom wait for each other: each inserts or locks its heads in the order of their sources. Then
 * it waits for nobody. Where that is not enough, PostgreSQL ends one of them with an error, and its caller repeats it.
 *
 * Why a key is not stored twice: a transaction that removes a message keeps its key in the same moment. A message that
 * is new to a round, and was stored and handled by others since, is found in a later statement: the round is repeated.
 */

// 4. Steps of functions

/** Makes the first message that is behind a head, of each of the sources that has no head. */
const PROMOTE = `
BEGIN
  UPDATE sms_message SET state = ${STATE.waiting}, at = p_now WHERE ctid = ANY (ARRAY(
    SELECT first.ctid FROM ${SORTED("p_sources")} AS one CROSS JOIN LATERAL (
      SELECT ctid FROM sms_message WHERE inbox + 0 = p_inbox AND source = one.source AND state = ${STATE.behind}
      ORDER BY seq LIMIT 1) AS first
    WHERE (SELECT true FROM sms_message WHERE ${IS_HEAD("one.source")} LIMIT 1) IS NULL));
END`;

/** Gives dead letters and unreadable rows their attempts again. */
const REVIVE = `
DECLARE
  head_ bigint;
BEGIN
  SELECT seq INTO head_ FROM ${LOCKED_HEAD("p_source")} AS head;
  -- A source without a head may get one at this moment: then the unique index fails, and the caller repeats it all.
  UPDATE sms_message SET attempts = 0, reason = NULL, at = p_now, source = p_source,
    body = CASE state WHEN ${STATE.dead} THEN body ELSE coalesce(p_body, body) END,
    state = CASE WHEN head_ IS NULL THEN ${STATE.waiting} ELSE ${STATE.behind} END
  WHERE inbox + 0 = p_inbox AND key = p_key AND state + 0 >= ${STATE.dead};
  RETURN FOUND;
END`;

// 5. A round

/** The columns of what a round returns. `r_n` and `r_seq` have several meanings. */
const RESULT = {
  r_n: "bigint",
  r_seq: "bigint",
  r_state: "smallint",
  r_attempts: "integer",
  r_key: "text",
  r_source: "text",
  r_body: "text",
} as const;
/** The values of a row that a round returns. */
const row = (kind: string, values: Readonly<Partial<Record<keyof typeof RESULT, string>>>): string =>
  [
    `'${kind}'`,
    ...Object.entries(RESULT).map(([name, type]) => values[name as keyof typeof RESULT] ?? `NULL::${type}`),
  ].join(", ");

/**
 * Takes messages that are due. One is held only for its first attempt: if it keeps ending its process, every later
 * attempt must count.
 *
 * @param count - how many, at most. No more are read: there may be a million that have failed
 */
const TAKE = (state: "running" | "held", count: string): string => `
    RETURN QUERY UPDATE sms_message SET state = ${STATE[state]}, attempts = attempts + ${state === "running" ? 1 : 0},
      owner = owner_${state === "running" ? ", at = now_" : ""}
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM (SELECT ctid, attempts FROM sms_message
      WHERE inbox = p_inbox AND state = ${STATE.waiting} AND at <= now_
      ORDER BY at, seq LIMIT ${count} FOR UPDATE SKIP LOCKED) AS next${state === "held" ? " WHERE attempts = 0" : ""}))
    RETURNING ${row("taken", {
      r_seq: "seq",
      r_state: "state",
      r_attempts: state === "running" ? "attempts" : "attempts + 1",
      r_key: "key",
      r_source: "source",
      r_body: "body",
    })};`;

/**
 * A round: everything that came and ended in a process since the last one.
 *
 * Ended messages have the state that they get, null for done. `p_owner` is null if the process takes none. It can run
 * `p_free` messages now, and `p_ahead` more are held.
 *
 * Rows: `owner` n; `duplicate` n; `claimed` n, seq, state, attempts; `taken` seq, state, attempts, key, source, body;
 * `expired` n, seq; `lease` n; `due` n. `attempts` is the number of the next attempt, and the n of the last two are
 * milliseconds from now.
 */
const ROUND = `
DECLARE
  now_ bigint := ${NOW};
  owner_ bigint;
  free_ integer := p_free;
  ahead_ integer := p_ahead;
  -- Whether this process takes what comes.
  claims_ boolean := false;
  state_ smallint;
  taken_ integer := 0;
  -- The numbers of arrivals.
  new_ bigint[] := '{}';
  revived_ bigint[] := '{}';
  heads_ bigint[] := '{}';
  rows_ tid[];
  seq_ bigint;
  row_ record;
BEGIN${BEGIN}
  IF p_owner IS NOT NULL AND (p_writes OR ${NEXT_DUE} <= now_) THEN
    owner_ := p_owner;
    UPDATE sms_process SET turn = p_turn, until = now_ + p_lease WHERE id = owner_ AND turn < p_turn;
    IF NOT FOUND THEN
      PERFORM 1 FROM sms_process WHERE id = owner_;
      IF FOUND THEN RAISE EXCEPTION USING ERRCODE = '${STALE}', MESSAGE = 'a late request'; END IF;
      -- New, or taken for dead by others.
      owner_ := p_spare;
      INSERT INTO sms_process AS known (id, inbox, turn, until) VALUES (owner_, p_inbox, p_turn, now_ + p_lease)
      ON CONFLICT (id) DO UPDATE SET turn = excluded.turn, until = excluded.until WHERE known.turn < excluded.turn;
      IF NOT FOUND THEN RAISE EXCEPTION USING ERRCODE = '${STALE}', MESSAGE = 'a late request'; END IF;
    END IF;
    RETURN QUERY SELECT ${row("owner", { r_n: "owner_" })};
  ELSE
    free_ := 0;
    ahead_ := 0;
  END IF;

  IF p_known IS NOT NULL AND owner_ IS NOT NULL THEN
    -- What an earlier request has taken, whose answer was lost. It has not run.
    UPDATE sms_message SET state = ${STATE.waiting}, at = now_, owner = NULL,
      attempts = attempts - CASE state WHEN ${STATE.running} THEN 1 ELSE 0 END
    WHERE owner = owner_ AND seq <> ALL (p_known || p_ended);
  END IF;

  IF cardinality(p_keys) > 0 THEN
    new_ := ARRAY(SELECT n FROM unnest(p_keys) WITH ORDINALITY AS new (key, n)
      WHERE ${IS_KEPT("new.key")} IS NULL AND ${IS_DONE("new.key")} IS NULL);
    IF cardinality(new_) < cardinality(p_keys) THEN
      -- A transaction that has written something waits for a standby: what a duplicate repeats may have come just now.
      PERFORM pg_logical_emit_message(true, 'express-kaleyra-sms', ''::text);
      FOR row_ IN
        SELECT n, (SELECT state FROM sms_message WHERE inbox + 0 = p_inbox AND key = new.key LIMIT 1) AS state
        FROM unnest(p_keys) WITH ORDINALITY AS new (key, n) WHERE n <> ALL (new_)
      LOOP
        IF row_.state >= ${STATE.dead} THEN
          revived_ := revived_ || row_.n;
        ELSE
          RETURN QUERY SELECT ${row("duplicate", { r_n: "row_.n" })};
        END IF;
      END LOOP;
    END IF;
    -- Older messages go first.
    claims_ := ${NEXT_DUE} > now_ IS NOT FALSE;
  END IF;

  -- Of each source, inserts the first new message as its head, or locks its head. One after the other: see above.
  FOR row_ IN
    SELECT DISTINCT ON (source COLLATE "C") source, key, body, n FROM (
      SELECT source, key, body, n FROM unnest(p_sources, p_keys, p_bodies) WITH ORDINALITY AS new (source, key, body, n)
      WHERE n = ANY (new_)
      UNION ALL SELECT source, NULL, NULL, NULL FROM unnest(p_ended_sources || p_started_sources) AS source
      UNION ALL SELECT p_sources[n], NULL, NULL, NULL FROM unnest(revived_) AS n) AS one
    ORDER BY source COLLATE "C", n
  LOOP
    IF row_.n IS NULL THEN
      PERFORM 1 FROM ${LOCKED_HEAD("row_.source")} AS head;
      CONTINUE;
    END IF;
    state_ := CASE WHEN claims_ AND free_ > 0 THEN ${STATE.running} WHEN claims_ AND ahead_ > 0 THEN ${STATE.held}
      ELSE ${STATE.waiting} END;
    INSERT INTO sms_message (inbox, key, source, body, state, attempts, at, owner)
    VALUES (p_inbox, row_.key, row_.source, row_.body, state_, CASE state_ WHEN ${STATE.running} THEN 1 ELSE 0 END, now_,
      CASE state_ WHEN ${STATE.waiting} THEN NULL ELSE owner_ END)
    ON CONFLICT (inbox, source) WHERE ${HEAD} DO UPDATE SET body = NULL WHERE false
    RETURNING seq INTO seq_;
    CONTINUE WHEN NOT FOUND;
    heads_ := heads_ || row_.n;
    CONTINUE WHEN state_ = ${STATE.waiting};
    IF state_ = ${STATE.running} THEN free_ := free_ - 1; ELSE ahead_ := ahead_ - 1; END IF;
    RETURN QUERY SELECT ${row("claimed", { r_n: "row_.n", r_seq: "seq_", r_state: "state_", r_attempts: "1" })};
  END LOOP;

  IF cardinality(p_started) > 0 THEN
    UPDATE sms_message SET state = ${STATE.running}, attempts = attempts + 1, at = now_
    WHERE owner = owner_ AND state + 0 = ${STATE.held} AND seq = ANY (p_started);
  END IF;

  IF cardinality(heads_) < cardinality(new_) THEN
    RETURN QUERY WITH later AS (
      SELECT key, source, body, n FROM unnest(p_keys, p_sources, p_bodies) WITH ORDINALITY AS new (key, source, body, n)
      WHERE n = ANY (new_) AND n <> ALL (heads_) ORDER BY n),
    added AS (
      INSERT INTO sms_message (inbox, key, source, body, state, attempts, at)
      SELECT p_inbox, key, source, body, ${STATE.behind}, 0, now_ FROM later ORDER BY n
      ON CONFLICT (inbox, key) DO NOTHING
      RETURNING key)
    SELECT ${row("duplicate", { r_n: "n" })} FROM later WHERE key <> ALL (ARRAY(SELECT key FROM added));
  END IF;
  FOR row_ IN
    SELECT n FROM unnest(revived_) AS n WHERE NOT sms_revive_1(p_inbox, p_keys[n], p_sources[n], p_bodies[n], now_)
  LOOP
    RETURN QUERY SELECT ${row("duplicate", { r_n: "row_.n" })};
  END LOOP;
  PERFORM 1 FROM unnest(p_keys) WITH ORDINALITY AS new (key, n) WHERE n = ANY (new_) AND ${IS_DONE("new.key")} LIMIT 1;
  IF FOUND THEN RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = 'handled meanwhile'; END IF;

  IF cardinality(p_ended) > 0 THEN
    rows_ := ARRAY(SELECT head.ctid
      FROM unnest(p_ended, p_ended_owners, p_ended_sources, p_ended_states) AS one (seq, owner, source, state)
      CROSS JOIN LATERAL (
        SELECT ctid, seq, owner, body FROM sms_message WHERE ${IS_HEAD("one.source")} LIMIT 1) AS head
      WHERE head.seq = one.seq AND head.owner = one.owner AND (one.state IS NULL OR head.body IS NULL));${END("ctid = ANY (rows_)")}
    FOR row_ IN
      SELECT * FROM unnest(p_ended, p_ended_owners, p_ended_sources, p_ended_states, p_ended_attempts, p_ended_waits,
        p_ended_reasons) AS one (seq, owner, source, state, attempts, wait, reason)
      WHERE state IS NOT NULL
    LOOP
      -- One that is given back has no wait. If it was held, it keeps its place.
      UPDATE sms_message SET state = row_.state, attempts = row_.attempts, owner = NULL, reason = row_.reason,
        at = coalesce(now_ + row_.wait, CASE state WHEN ${STATE.held} THEN least(at, now_) ELSE now_ END)
      WHERE ${IS_HEAD("row_.source")} AND seq = row_.seq AND owner = row_.owner;
    END LOOP;
    PERFORM sms_promote_1(p_inbox, p_ended_sources, now_);
  END IF;

  IF free_ > 0 THEN${TAKE("running", "free_")}
    GET DIAGNOSTICS taken_ = ROW_COUNT;
  END IF;
  IF ahead_ > 0 AND taken_ = free_ THEN${TAKE("held", "ahead_")}
  END IF;

  IF p_inspects THEN
    RETURN QUERY SELECT ${row("expired", { r_n: "id", r_seq: "until" })} FROM sms_process
    WHERE inbox = p_inbox AND id IS DISTINCT FROM owner_ AND until < now_;
    RETURN QUERY SELECT ${row("lease", { r_n: "min(until) - now_" })} FROM sms_process
    WHERE inbox = p_inbox AND id IS DISTINCT FROM owner_ AND until >= now_;
  END IF;
  RETURN QUERY SELECT ${row("due", { r_n: `${NEXT_DUE} - ${NOW}` })};
END`;

// 6. Dead processes

/**
 * Releases the messages of dead processes. An attempt that was cut short counts: after its last one, a message becomes a
 * dead letter, and a row. A held message may have run, too: that counts as its first attempt, unless it has only one. A
 * process that has renewed its lease since is left alone.
 */
const TAKE_OVER = `
DECLARE
  now_ bigint := ${NOW};
  dead_ bigint[];
  sources_ text[] := '{}';
  row_ record;
BEGIN${BEGIN}
  WITH dead AS (
    DELETE FROM sms_process WHERE id = ANY (p_owners) AND until = p_untils[array_position(p_owners, id)] RETURNING id)
  SELECT coalesce(array_agg(id), '{}') INTO dead_ FROM dead;
  FOR row_ IN
    WITH taken AS MATERIALIZED (SELECT source FROM sms_message WHERE owner = ANY (dead_))
    SELECT head.* FROM (SELECT source FROM taken ORDER BY source) AS one
    CROSS JOIN LATERAL (SELECT key, source, body, state, attempts, owner FROM sms_message
      WHERE ${IS_HEAD("one.source")} LIMIT 1 FOR UPDATE) AS head
    WHERE head.owner = ANY (dead_)
  LOOP
    IF row_.body IS NULL THEN${END("inbox + 0 = p_inbox AND key = row_.key")}
    ELSIF row_.attempts < p_attempts THEN
      UPDATE sms_message SET state = ${STATE.waiting}, at = now_, owner = NULL,
        attempts = CASE row_.state WHEN ${STATE.held} THEN greatest(attempts, least(1, p_attempts - 1)) ELSE attempts END
      WHERE inbox + 0 = p_inbox AND key = row_.key;
    ELSE
      UPDATE sms_message SET state = ${STATE.dead}, at = now_, owner = NULL, reason = p_reason
      WHERE inbox + 0 = p_inbox AND key = row_.key;
      RETURN QUERY SELECT row_.attempts, row_.body;
    END IF;
    sources_ := sources_ || row_.source;
  END LOOP;
  PERFORM sms_promote_1(p_inbox, sources_, now_);
END`;

// 7. What an operator calls

/**
 * Erases a subscriber. Of a message that runs or is held, the row stays until its process ends it: it keeps the order.
 *
 * By their keys: a message that is replayed, taken or ended at this moment has another state when its row is free.
 */
const FORGET = `
DECLARE
  now_ bigint := ${NOW};
  keys_ text[];
  count_ integer;
  total_ integer := 0;
BEGIN${BEGIN}
  PERFORM 1 FROM ${LOCKED_HEAD("p_source")} AS head;
  keys_ := ARRAY(
    SELECT key FROM sms_message WHERE ${IS_HEAD("p_source")}
    UNION ALL SELECT key FROM sms_message WHERE inbox + 0 = p_inbox AND source = p_source AND state = ${STATE.behind}
    UNION ALL SELECT key FROM sms_message WHERE inbox + 0 = p_inbox AND source = p_source AND ${ASIDE});
  LOOP${END("inbox + 0 = p_inbox AND key = ANY (keys_) AND owner IS NULL")}
    GET DIAGNOSTICS count_ = ROW_COUNT;
    total_ := total_ + count_;
    UPDATE sms_message SET body = NULL
    WHERE inbox + 0 = p_inbox AND key = ANY (keys_) AND owner IS NOT NULL AND body IS NOT NULL;
    GET DIAGNOSTICS count_ = ROW_COUNT;
    total_ := total_ + count_;
    -- One that was taken before the first of the two statements, and ended before the second.
    PERFORM 1 FROM sms_message
    WHERE inbox + 0 = p_inbox AND key = ANY (keys_) AND (owner IS NULL OR body IS NOT NULL) LIMIT 1;
    EXIT WHEN NOT FOUND;
  END LOOP;
  -- What came while its head was deleted: if another head was there at first, this transaction did not hold the lock.
  PERFORM sms_promote_1(p_inbox, ARRAY[p_source], now_);
  RETURN total_;
END`;

/** Replays one dead letter. */
const REPLAY = `
DECLARE
  source_ text;
BEGIN${BEGIN}
  SELECT source INTO source_ FROM sms_message WHERE inbox + 0 = p_inbox AND key = p_key AND state + 0 = ${STATE.dead};
  RETURN (FOUND AND sms_revive_1(p_inbox, p_key, source_, NULL, ${NOW}))::integer;
END`;

/** Replays the first dead letters after the row `p_after`: their number, and the last row. */
const REPLAY_SOME = `
DECLARE
  row_ record;
BEGIN${BEGIN}
  replayed := 0;
  FOR row_ IN
    SELECT * FROM (SELECT seq, key, source FROM sms_message
    WHERE inbox = p_inbox AND state = ${STATE.dead} AND seq > p_after ORDER BY seq LIMIT p_limit) AS letter
    ORDER BY source
  LOOP
    last := greatest(last, row_.seq);
    replayed := replayed + sms_revive_1(p_inbox, row_.key, row_.source, NULL, ${NOW})::integer;
  END LOOP;
END`;

/** Counts the messages in each state. A function for its settings: it is asked again and again, also while a lock lasts. */
const STATS = `
BEGIN
  RETURN QUERY SELECT due.count + behind.count + own.held, own.running, delayed.count, dead.count,
    greatest(due.age, behind.age, own.age, 0)
  FROM (SELECT count(*), ${AGE} AS age FROM sms_message
      WHERE inbox = p_inbox AND state = ${STATE.waiting} AND at <= ${BEGUN}) AS due,
    (SELECT count(*) FROM sms_message WHERE inbox = p_inbox AND state = ${STATE.waiting} AND at > ${BEGUN}) AS delayed,
    (SELECT count(*), ${AGE} AS age FROM sms_message WHERE inbox + 0 = p_inbox AND state = ${STATE.behind}) AS behind,
    (SELECT count(*) FILTER (WHERE state = ${STATE.running}) AS running,
        count(*) FILTER (WHERE state = ${STATE.held}) AS held, ${AGE} FILTER (WHERE state = ${STATE.held}) AS age
      FROM sms_message WHERE inbox + 0 = p_inbox AND owner IS NOT NULL) AS own,
    (SELECT count(*) FROM sms_message WHERE inbox = p_inbox AND state = ${STATE.dead}) AS dead;
END`;

// 8. Versions

const FUNCTIONS: ReadonlyArray<readonly [signature: string, returns: string, body: string]> = [
  ["sms_promote_1(p_inbox integer, p_sources text[], p_now bigint)", "void", PROMOTE],
  ["sms_revive_1(p_inbox integer, p_key text, p_source text, p_body text, p_now bigint)", "boolean", REVIVE],
  [
    `sms_round_1(p_inbox integer, p_owner bigint, p_spare bigint, p_turn bigint, p_lease bigint, p_writes boolean,
       p_ended bigint[], p_ended_owners bigint[], p_ended_sources text[], p_ended_states smallint[],
       p_ended_attempts integer[], p_ended_waits bigint[], p_ended_reasons text[],
       p_keys text[], p_sources text[], p_bodies text[], p_started bigint[], p_started_sources text[],
       p_known bigint[], p_free integer, p_ahead integer, p_inspects boolean)`,
    `TABLE (r_kind text, ${Object.entries(RESULT)
      .map((column) => column.join(" "))
      .join(", ")})`,
    ROUND,
  ],
  [
    "sms_take_over_1(p_inbox integer, p_owners bigint[], p_untils bigint[], p_attempts integer, p_reason text)",
    "TABLE (row_attempts integer, row_body text)",
    TAKE_OVER,
  ],
  [
    "sms_stats_1(p_inbox integer)",
    "TABLE (r_waiting bigint, r_running bigint, r_delayed bigint, r_dead bigint, r_age bigint)",
    STATS,
  ],
  ["sms_forget_1(p_inbox integer, p_source text)", "integer", FORGET],
  ["sms_replay_1(p_inbox integer, p_key text)", "integer", REPLAY],
  [
    "sms_replay_some_1(p_inbox integer, p_after bigint, p_limit integer, OUT replayed integer, OUT last bigint)",
    "record",
    REPLAY_SOME,
  ],
];

const functions = (schema: string): string =>
  FUNCTIONS.map(
    ([signature, returns, body]) =>
      `CREATE FUNCTION ${signature} RETURNS ${returns} LANGUAGE plpgsql${settings(schema)} AS $function$${body}$function$;`,
  ).join("\n");

/** The SQL that makes each version of the tables from the previous one. A released version never changes. */
export const VERSIONS: ReadonlyArray<(schema: string) => string> = [(schema) => `${TABLES}\n${functions(schema)}`];

/** A name as PostgreSQL reads it, whatever is in it. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

// 9. Statements

export const SET_UP = {
  // No boolean comes out: the user may have set a parser.
  server: `SELECT current_setting('server_version_num')::integer AS server, current_setting('server_encoding') AS encoding,
             current_setting('transaction_isolation') AS isolation, (to_regclass($1) IS NOT NULL)::integer AS tables`,
  // Held until the end of the transaction.
  lock: "SELECT pg_advisory_xact_lock(hashtextextended('express-kaleyra-sms ' || $1, 0))",
  schema: `SELECT (to_regnamespace(quote_ident($1)) IS NOT NULL)::integer AS schema,
             (to_regclass($2) IS NOT NULL)::integer AS tables`,
  version: (schema: string): string => `SELECT version FROM ${identifier(schema)}.sms_version`,
  setVersion: (schema: string, version: number): string =>
    `UPDATE ${identifier(schema)}.sms_version SET version = ${version}`,
  find: (schema: string): string => `SELECT id FROM ${identifier(schema)}.sms_inbox WHERE name = $1`,
  add: (schema: string): string =>
    `INSERT INTO ${identifier(schema)}.sms_inbox (name) VALUES ($1)
     ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`,
} as const;

export const NOTIFY = "SELECT pg_notify($1, $2)";

/** How every table and function of a schema is named in the statements of an inbox. */
export const tablesOf = (schema: string): string => `${identifier(schema)}.sms_`;
/** Ends connections that have waited for a standby for longer than $1 milliseconds, with a statement that names $2. */
export const END_UNCONFIRMED = `
  SELECT count(pg_terminate_backend(pid)) AS ended FROM pg_stat_activity
  WHERE usename = current_user AND datname = current_database() AND wait_event = 'SyncRep'
    AND query_start < clock_timestamp() - $1::float8 * interval '1 millisecond' AND strpos(query, $2) > 0`;

/** What the inbox sends when its tables are there. The first value is always the number of the inbox. */
export function statementsOf(schema: string) {
  const [message, done, process] = ["message", "done", "process"].map((table) => tablesOf(schema) + table);
  const call = (name: string, values: number): string =>
    `SELECT * FROM ${tablesOf(schema)}${name}_1(${Array.from({ length: values }, (_, n) => `$${n + 1}`).join(", ")})`;
  return {
    round: call("round", 22),
    takeOver: call("take_over", 5),
    forget: call("forget", 2),
    replay: call("replay", 2),
    replaySome: call("replay_some", 3),
    startable: `SELECT seq, owner FROM ${message}
                WHERE inbox + 0 = $1 AND owner = ANY ($2) AND body IS NOT NULL`,
    // One process at a time, in steps.
    prune: `WITH pruned AS (
              DELETE FROM ${done} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${done}
                WHERE inbox = $1 AND at < ${BEGUN} - $2::bigint ORDER BY at LIMIT $3 FOR UPDATE SKIP LOCKED))
              RETURNING 1)
            SELECT count(*) AS pruned FROM pruned`,
    leave: `DELETE FROM ${process} WHERE inbox = $1 AND id = $2 AND NOT EXISTS (
              SELECT FROM ${message} WHERE owner = $2)`,
    stats: call("stats", 1),
    letters: `SELECT seq, key, source, body, attempts, at, reason FROM ${message}
              WHERE inbox = $1 AND state = ${STATE.dead} AND seq > coalesce(
                $3::bigint, (SELECT seq FROM ${message} WHERE inbox + 0 = $1 AND key = $2),
                (SELECT seq FROM ${done} WHERE inbox + 0 = $1 AND key = $2), 0)
              ORDER BY seq LIMIT $4`,
    get: `SELECT key, source, body, attempts, reason, state, (state = ${STATE.waiting} AND at > ${BEGUN})::integer AS delayed
          FROM ${message} WHERE inbox + 0 = $1 AND key = $2`,
    discard: `WITH gone AS (
                DELETE FROM ${message} WHERE inbox + 0 = $1 AND key = $2 AND state + 0 = ${STATE.dead} RETURNING key, seq)
              INSERT INTO ${done} (inbox, key, seq, at) SELECT $1, key, seq, ${BEGUN} FROM gone
              ON CONFLICT (inbox, key) DO UPDATE SET at = excluded.at RETURNING 1 AS discarded`,
    countOf: `SELECT ${[HEAD, `state = ${STATE.behind}`, ASIDE]
      .map(
        (state) =>
          `(SELECT count(*) FROM ${message} WHERE inbox + 0 = $1 AND source = $2 AND ${state} AND body IS NOT NULL)`,
      )
      .join(" + ")} AS messages`,
    isUnused: `SELECT (NOT EXISTS (SELECT FROM ${message} WHERE inbox = $1)
                 AND NOT EXISTS (SELECT FROM ${done} WHERE inbox = $1))::integer AS unused`,
  } as const;
}
