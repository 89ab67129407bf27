// What runs in Redis, in Lua: beside BullMQ's own scripts, and in front of them.

import type { Redis as Client } from "ioredis";

import { codedError } from "../../base/errors.js";

/**
 * The keys of handled messages, in a sorted set: each with the instant until which it is kept, by Redis's clock. In BullMQ's own place,
 * so that it is in the queue's slot of a cluster; BullMQ takes no id with a colon, and its clean-up leaves such a key alone.
 */
const DONE = "sms:done";

/** The answers of a script that did not store: the message was handled, or the queue holds it. */
export const DONE_ALREADY = "done";
export const HELD_ALREADY = "held";

/**
 * Redis that is full refuses commands that may take up memory, unless the script that runs has written before. What takes messages out and
 * ends them makes room: it writes first that it deletes what is not there. Redis 7 has a flag for it, and Redis 6 has not.
 */
const THOUGH_FULL = "redis.call('DEL', KEYS[1] .. ':sms:nothing')";

/** What BullMQ passes on unchanged is found by what it looks like, wherever it passes it. */
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

/** A message is stored in the same moment in which it is seen that it is no duplicate. It begins as `newEntry` makes it. */
const UNLESS_KNOWN = `do ${FIND}
  local key = find(ARGV, '^{"key":"([^"]+)","message":')
  if not queue or not key then return redis.error_reply('ERR no message of an inbox') end
  local kept = redis.call('ZSCORE', queue .. '${DONE}', key)
  if kept and tonumber(kept) > now() then return '${DONE_ALREADY}' end
  if redis.call('EXISTS', queue .. 'sms-' .. key) == 1 then return '${HELD_ALREADY}' end
end`;

/** How many keys are dropped that were kept long enough, for each that comes. */
const DROPPED = 10;

/** The key of a handled message is kept in the same moment in which the job is removed. `doneOf` is what a processor gives. */
const KEEPS_KEY = `do ${FIND}
  local key, retentionMs = find(ARGV, '^{"done":"([^"]+)","retentionMs":(%d+)}$')
  if queue and key then
    local instant = now()
    local over = redis.call('ZRANGEBYSCORE', queue .. '${DONE}', '-inf', instant, 'LIMIT', 0, ${DROPPED})
    if #over > 0 then redis.call('ZREM', queue .. '${DONE}', unpack(over)) end
    redis.call('ZADD', queue .. '${DONE}', instant + retentionMs, key)
  end
end`;

/**
 * What BullMQ keeps beside the data of a job may be damaged. Where its scripts cannot count with it, they stop halfway, and the job is in no list
 * any more. No message of an inbox has a parent, repeats, or is deduplicated by BullMQ.
 */
const MEND = `local function mend(job)
  for _, field in ipairs({'ats', 'atm', 'attemptsMade', 'stc'}) do
    local number = redis.call('HGET', job, field)
    if number and not string.match(number, '^%d%d?%d?%d?%d?%d?$') then redis.call('HDEL', job, field) end
  end
  redis.call('HDEL', job, 'parentKey', 'parent', 'rjk', 'deid')
end`;

/** Of the message whose attempt has ended. */
const MENDS = `do ${FIND}
  ${MEND}
  local job = find(KEYS, '^.*:sms%-[^:]+$')
  if job then mend(job) end
end`;

/** What runs in front of BullMQ's scripts, by their names. */
const IN_FRONT: Readonly<Record<string, string>> = {
  addStandardJob: UNLESS_KNOWN,
  moveToFinished: `${THOUGH_FULL}\n${MENDS}\n${KEEPS_KEY}`,
  moveToDelayed: `${THOUGH_FULL}\n${MENDS}`,
  retryJob: `${THOUGH_FULL}\n${MENDS}`,
  ...Object.fromEntries(
    ["extendLocks", "moveJobFromActiveToWait", "moveStalledJobsToWait", "moveToActive", "reprocessJob"].map((name) => [
      name,
      THOUGH_FULL,
    ]),
  ),
};

/** What a processor gives of a message that was handled. */
export interface Done {
  readonly done: string;
  readonly retentionMs: number;
}

export function doneOf(key: string, retentionMs: number): Done {
  return { done: key, retentionMs };
}

/** Before a client is given to BullMQ, which defines its scripts there. @returns what throws where BullMQ did not define each of them */
export function putInFront(client: Client): () => void {
  const missing = new Set(Object.keys(IN_FRONT));
  const define = client.defineCommand.bind(client);
  client.defineCommand = (name, definition) => {
    // Behind the colon is BullMQ's version.
    const [script = ""] = name.split(":");
    const front = IN_FRONT[script];
    missing.delete(script);
    define(name, front === undefined ? definition : { ...definition, lua: `${front}\n${definition.lua}` });
  };
  return () => {
    if (missing.size === 0) return;
    throw codedError("KALEYRA_SMS_PEER_VERSION", {
      message: `This version of bullmq has no ${[...missing].join(", ")}: install one that the peerDependencies in package.json allow.`,
    });
  };
}

/** KEYS: of a job. ARGV: data. */
const REPLACE = `${THOUGH_FULL}
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'data', ARGV[1]) end`;

/** Gives a job other data, if it still exists. @param data - JSON */
export async function replaceData(client: Client, key: string, data: string): Promise<void> {
  await client.eval(REPLACE, 1, key, data);
}

/** KEYS: of a lock. ARGV: its token, and milliseconds. */
const LEASE = `${THOUGH_FULL}
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX')`;

/** Takes the lease of a job that nobody has. @param key - of the job */
export async function takeLease(client: Client, key: string, token: string, leaseMs: number): Promise<void> {
  await client.eval(LEASE, 1, `${key}:lock`, token, leaseMs);
}

/** KEYS: one of the queue's. ARGV: a message's. */
const IS_DONE = `${FIND}
local kept = redis.call('ZSCORE', queue .. '${DONE}', ARGV[1])
return kept and tonumber(kept) > now() and 1 or 0`;

/** @param wait - the key of the queue's list of what waits */
export async function isDone(client: Client, wait: string, key: string): Promise<boolean> {
  return (await client.eval(IS_DONE, 1, wait, key)) === 1;
}

/** KEYS: the queue's list of what is active. ARGV: options as a job holds them. */
const MEND_ACTIVE = `${THOUGH_FULL}
${MEND}
local queue = string.match(KEYS[1], '^(.*:)active$')
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local job = queue .. id
  if redis.call('EXISTS', job) == 1 then
    mend(job)
    redis.call('HDEL', job, 'progress')
    local isRead, options = pcall(cjson.decode, redis.call('HGET', job, 'opts') or '')
    if not isRead or type(options) ~= 'table' then redis.call('HSET', job, 'opts', ARGV[1]) end
  end
end`;

/** Mends the jobs that were taken out: one whose fields cannot be read is taken out again and again. @param options - JSON, for where they are damaged */
export async function mendActive(client: Client, active: string, options: string): Promise<void> {
  await client.eval(MEND_ACTIVE, 1, active, options);
}
