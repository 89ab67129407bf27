// The Lua scripts that run in Redis: some in front of BullMQ's own scripts, others by themselves.

import type { Redis as Client } from "ioredis";

import { codedError } from "../../base/errors.js";

/**
 * A sorted set with the keys of handled messages, each with the instant until which it is kept, by Redis's clock.
 *
 * Its name begins like those of BullMQ's keys, so that it is in the queue's slot of a cluster. It contains a colon: no
 * job id does, and BullMQ's clean-up leaves such a key alone.
 */
const DONE = "sms:done";

/** The replies of a script that stored nothing: the message was handled already, or is in the queue. */
export const ALREADY_DONE = "done";
export const ALREADY_QUEUED = "held";

/**
 * A full Redis refuses commands that may need memory, unless the same script has already written. Scripts that take or
 * end messages make room, so they first write: they delete a key that does not exist. Redis 7 has a flag for this,
 * Redis 6 has not.
 */
const ALLOW_WHEN_FULL = "redis.call('DEL', KEYS[1] .. ':sms:nothing')";

/** Finds an argument that BullMQ passes on unchanged by its form: its position does not matter. */
const FIND = `local function find(all, pattern)
  for _, each in ipairs(all) do
    local first, second = string.match(each, pattern)
    if first then return first, second end
  end
end
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local queue = find(KEYS, '^(.*:)wait$')`;

/** Stores a message unless it is a duplicate, in one atomic step. The data begin as `newEntry` makes them. */
const REJECT_DUPLICATE = `do ${FIND}
  local key = find(ARGV, '^{"key":"([^"]+)","message":')
  if not queue or not key then return redis.error_reply('ERR no message of an inbox') end
  local kept = redis.call('ZSCORE', queue .. '${DONE}', key)
  if kept and tonumber(kept) > now() then return '${ALREADY_DONE}' end
  if redis.call('EXISTS', queue .. 'sms-' .. key) == 1 then return '${ALREADY_QUEUED}' end
end`;

/** How many expired keys are removed for each key that is added. */
const DROPPED = 10;

/** Keeps the key of a handled message, in one atomic step with removing its job. Reads the result of the processor. */
const KEEP_KEY = `do ${FIND}
  local key, retentionMs = find(ARGV, '^{"done":"([^"]+)","retentionMs":(%d+)}$')
  if queue and key then
    local instant = now()
    local over = redis.call('ZRANGEBYSCORE', queue .. '${DONE}', '-inf', instant, 'LIMIT', 0, ${DROPPED})
    if #over > 0 then redis.call('ZREM', queue .. '${DONE}', unpack(over)) end
    redis.call('ZADD', queue .. '${DONE}', instant + retentionMs, key)
  end
end`;

/**
 * Repairs the fields that BullMQ stores beside the data of a job. If a counter is damaged, BullMQ's scripts stop
 * halfway, and the job is in no list any more. The fields for parents, repetition and deduplication are removed: the
 * inbox does not use them.
 */
const REPAIR = `local function repair(job)
  local fields = {'ats', 'atm', 'attemptsMade', 'stc', 'parentKey', 'parent', 'rjk', 'deid'}
  local values = redis.call('HMGET', job, unpack(fields))
  for n, field in ipairs(fields) do
    local isCounter = n <= 4 and values[n] and string.match(values[n], '^%d%d?%d?%d?%d?%d?$')
    if values[n] and not isCounter then redis.call('HDEL', job, field) end
  end
end`;

/** Repairs the job whose attempt has ended. */
const REPAIR_ENDED = `do ${FIND}
  ${REPAIR}
  local job = find(KEYS, '^.*:sms%-[^:]+$')
  if job then repair(job) end
end`;

/** The Lua code in front of BullMQ's scripts, by the names of the scripts. */
const PREPENDED: Readonly<Record<string, string>> = {
  addStandardJob: REJECT_DUPLICATE,
  moveToFinished: `${ALLOW_WHEN_FULL}\n${REPAIR_ENDED}\n${KEEP_KEY}`,
  moveToDelayed: `${ALLOW_WHEN_FULL}\n${REPAIR_ENDED}`,
  retryJob: `${ALLOW_WHEN_FULL}\n${REPAIR_ENDED}`,
  ...Object.fromEntries(
    ["extendLocks", "moveJobFromActiveToWait", "moveStalledJobsToWait", "moveToActive", "reprocessJob"].map((name) => [
      name,
      ALLOW_WHEN_FULL,
    ]),
  ),
};

/** The result of the processor for a handled message. `KEEP_KEY` reads it. */
export interface Done {
  readonly done: string;
  readonly retentionMs: number;
}

export function doneOf(key: string, retentionMs: number): Done {
  return { done: key, retentionMs };
}

/**
 * Puts our Lua code in front of the scripts that BullMQ defines on a client. Call it before BullMQ gets the client.
 *
 * @returns a function that throws if BullMQ did not define all of these scripts
 */
export function prependScripts(client: Client): () => void {
  const missing = new Set(Object.keys(PREPENDED));
  const define = client.defineCommand.bind(client);
  client.defineCommand = (name, definition) => {
    // BullMQ's version follows the colon.
    const [script = ""] = name.split(":");
    const front = PREPENDED[script];
    missing.delete(script);
    define(name, front === undefined ? definition : { ...definition, lua: `${front}\n${definition.lua}` });
  };
  return () => {
    if (missing.size === 0) return;
    throw codedError("KALEYRA_SMS_PEER_VERSION", {
      message:
        `This version of bullmq has no ${[...missing].join(", ")}: ` +
        "install one that the peerDependencies in package.json allow.",
    });
  };
}

/** KEYS: the job. ARGV: its data. */
const REPLACE = `${ALLOW_WHEN_FULL}
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'data', ARGV[1]) end`;

/** Replaces the data of a job, if it still exists. @param data - JSON */
export async function replaceData(client: Client, key: string, data: string): Promise<void> {
  await client.eval(REPLACE, 1, key, data);
}

/** Adds a key to the set in KEYS[1]. ARGV: the key, the retention. */
const KEEP = `local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2], ARGV[1])`;

/** KEYS: the set of kept keys. */
const KEEP_FORGOTTEN = `${ALLOW_WHEN_FULL}\n${KEEP}`;

/** Keeps the key of a message that is erased. @param queue - what all keys of the queue begin with */
export async function keepKey(client: Client, queue: string, { done, retentionMs }: Done): Promise<void> {
  await client.eval(KEEP_FORGOTTEN, 1, `${queue}${DONE}`, done, retentionMs);
}

/** KEYS: the set of kept keys, that of failed jobs, the job. ARGV: the key, the retention, the job's id. */
const DISCARD = `${ALLOW_WHEN_FULL}
if redis.call('ZREM', KEYS[2], ARGV[3]) == 0 then return 0 end
redis.call('DEL', KEYS[3], KEYS[3] .. ':logs', KEYS[3] .. ':lock')
${KEEP}
return 1`;

/**
 * Removes a failed job, and keeps its key, in one atomic step.
 *
 * @param queue - what all keys of the queue begin with
 * @returns 1, or 0 if the job is not, or no longer, a failed one
 */
export async function discardJob(
  client: Client,
  queue: string,
  id: string,
  { done, retentionMs }: Done,
): Promise<number> {
  const keys = [`${queue}${DONE}`, `${queue}failed`, `${queue}${id}`];
  return Number(await client.eval(DISCARD, keys.length, ...keys, done, retentionMs, id));
}

/** KEYS: the lock. ARGV: its token, and its time in milliseconds. */
const LEASE = `${ALLOW_WHEN_FULL}
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX')`;

/** Takes the lease of a job, unless another worker has it. @param key - the job's key in Redis */
export async function takeLease(client: Client, key: string, token: string, leaseMs: number): Promise<void> {
  await client.eval(LEASE, 1, `${key}:lock`, token, leaseMs);
}

/** KEYS: the queue's list of waiting jobs. ARGV: the key of a message. */
const IS_DONE = `${FIND}
local kept = redis.call('ZSCORE', queue .. '${DONE}', ARGV[1])
return kept and tonumber(kept) > now() and 1 or 0`;

/** Whether the key of a handled message is kept. @param wait - the queue's list of waiting jobs, by its key in Redis */
export async function isDone(client: Client, wait: string, key: string): Promise<boolean> {
  return (await client.eval(IS_DONE, 1, wait, key)) === 1;
}

/** KEYS: the queue's list of active jobs. ARGV: job options as JSON. */
const REPAIR_ACTIVE = `${ALLOW_WHEN_FULL}
${REPAIR}
local queue = string.match(KEYS[1], '^(.*:)active$')
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local job = queue .. id
  if redis.call('EXISTS', job) == 1 then
    repair(job)
    redis.call('HDEL', job, 'progress')
    local isRead, options = pcall(cjson.decode, redis.call('HGET', job, 'opts') or '')
    if not isRead or type(options) ~= 'table' then redis.call('HSET', job, 'opts', ARGV[1]) end
  end
end`;

/**
 * Repairs the active jobs: a job with unreadable fields would be taken again and again.
 *
 * @param active - the queue's list of active jobs, by its key in Redis
 * @param options - job options as JSON, for jobs whose own are damaged
 */
export async function repairActive(client: Client, active: string, options: string): Promise<void> {
  await client.eval(REPAIR_ACTIVE, 1, active, options);
}
