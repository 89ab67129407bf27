// What is asked of Redis about many jobs at once, which BullMQ asks about each: it runs there, in Lua, as BullMQ's own commands do.

import type { Redis as Client } from "ioredis";

/** KEYS: of jobs. ARGV: as many beginnings. */
const OTHERS = `local others = {}
for n, key in ipairs(KEYS) do
  local data = redis.call('HGET', key, 'data')
  if not data or string.sub(data, 1, #ARGV[n]) ~= ARGV[n] then
    others[#others + 1] = n - 1
    others[#others + 1] = data or ''
  end
end
return others`;

/** KEYS: of jobs. ARGV: as many data. */
const REPLACE = `for n, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then redis.call('HSET', key, 'data', ARGV[n]) end
end`;

/**
 * The data of those jobs that do not begin as given, by their place in `keys`: `null` where there is no such job.
 *
 * @param beginnings - one for each key
 */
export async function otherData(
  client: Client,
  keys: readonly string[],
  beginnings: readonly string[],
): Promise<ReadonlyMap<number, string | null>> {
  const others = (await client.eval(OTHERS, keys.length, ...keys, ...beginnings)) as Array<number | string>;
  const found = new Map<number, string | null>();
  for (let i = 0; i < others.length; i += 2) found.set(Number(others[i]), String(others[i + 1]) || null);
  return found;
}

/** Gives jobs other data, where they still exist. @param data - JSON, one for each key */
export async function replaceData(client: Client, keys: readonly string[], data: readonly string[]): Promise<void> {
  await client.eval(REPLACE, keys.length, ...keys, ...data);
}
