// The inbox in Redis, and the consent beside it.

import { bullmqInbox } from "express-kaleyra-sms/bullmq";
import { Redis } from "ioredis";

export function open(url) {
  let redis;

  return {
    /** Each router needs one of its own. */
    openInbox: () => bullmqInbox({ connection: url }),

    /**
     * Who wants no messages, for all workers. Yours is a table in your database. Workers may handle a START before the STOP that was
     * sent before it. So the time of the last of each is kept: `GT` replaces an earlier one only.
     */
    openConsent() {
      redis = new Redis(url);
      redis.on("error", () => undefined); // a command that fails rejects, and its message is retried
      const note = (choice, source, at) => redis.zadd(`consent:${choice}`, "GT", Date.parse(at), source);

      return {
        optOut: (source, at) => note("out", source, at),
        optIn: (source, at) => note("in", source, at),
        async hasOptedOut(source) {
          const [out, back] = await Promise.all(
            ["out", "in"].map((choice) => redis.zscore(`consent:${choice}`, source)),
          );
          return out !== null && Number(out) >= Number(back);
        },
      };
    },

    /** The inbox closes its own connections. */
    closeConnections: () => redis?.disconnect(),
  };
}
