// Warns of settings of Redis that are wrong for an inbox.

import type { Redis as Client } from "ioredis";

import { emitWarning } from "../../base/process-warning.js";

/**
 * Checks Redis on each new connection, and warns once of each mistake: after a reconnection, Redis may have other
 * settings or be another server.
 *
 * It reads `INFO`, since most hosted Redis services forbid `CONFIG`. If `INFO` is forbidden, too, it does not warn.
 *
 * @param name - the name of the queue
 */
export function warnOfSetUp(client: Client, name: string): void {
  let hasWarnedOfEviction = false;
  let hasWarnedOfCluster = hasHashTag(name);

  const check = async (): Promise<void> => {
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
    check().catch(() => undefined);
  });
}

const KEEPS = "noeviction";

/** Whether all keys of the queue are in one slot of a cluster. */
function hasHashTag(name: string): boolean {
  return /^[^{]*\{[^}]+\}/.test(name);
}
