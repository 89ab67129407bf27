// What Redis says of itself that is wrong for an inbox.

import type { Redis as Client } from "ioredis";

import { emitWarning } from "../../base/process-warning.js";

/**
 * Looks at each new connection, and warns once of each mistake: Redis may be set up otherwise, or be another one, when it is back.
 *
 * `INFO` is allowed where `CONFIG` is forbidden, as by most who run Redis for others. Where it is forbidden, too, nothing is said.
 *
 * @param name - of the queue
 */
export function warnOfSetUp(client: Client, name: string): void {
  let hasWarnedOfEviction = false;
  let hasWarnedOfCluster = hasHashTag(name);

  const look = async (): Promise<void> => {
    const [memory, cluster] = await Promise.all([client.info("memory"), client.info("cluster")]);
    const [, policy = KEEPS] = /^maxmemory_policy:([\w-]+)/m.exec(memory) ?? [];
    if (policy !== KEEPS) {
      hasWarnedOfEviction ||= emitWarning("KALEYRA_SMS_REDIS_EVICTS", { why: `its maxmemory-policy is ${policy}` });
    }
    if (/^cluster_enabled:1/m.test(cluster)) {
      hasWarnedOfCluster ||= emitWarning("KALEYRA_SMS_REDIS_CLUSTER");
    }
  };
  client.on("ready", () => {
    look().catch(() => undefined);
  });
}

const KEEPS = "noeviction";

/** Whether all keys of the queue are in one slot of a cluster. */
function hasHashTag(name: string): boolean {
  return /^[^{]*\{[^}]+\}/.test(name);
}
