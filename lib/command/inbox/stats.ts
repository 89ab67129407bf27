// `inbox stats`: how many messages are in which state.

import { verb } from "../verb.js";
import { INBOX_OPTIONS, withInbox } from "./opened.js";

export const inboxStats = verb({
  name: "inbox stats",
  summary: "Counts the messages of an inbox in each state.",
  options: INBOX_OPTIONS,
  examples: [
    { line: "inbox stats --sqlite inbox.db", does: "the inbox in a file" },
    { line: "inbox stats --redis env:REDIS_URL --json", does: "the one in Redis, for a script" },
    { line: "inbox stats --postgres env:DATABASE_URL", does: "the one in PostgreSQL" },
  ],
  notes: [
    "It works while the app runs. The file, or the tables in PostgreSQL, must be there: no verb of inbox makes them.",
    "In Redis, dead also counts failed jobs that other programs have put into the queue.",
  ],
  run: ({ options, output, signal }) =>
    withInbox(options, signal, async (inbox) => {
      const stats = await inbox.stats();
      const { waiting, running, delayed, dead, oldestWaitingMs } = stats;
      if (waiting + running + delayed + dead === 0 && (await inbox.isUnused()))
        output.note("Nothing was ever stored under this name: is it the name that the app gives to its inbox?");
      const since = waiting === 0 ? "" : `, the oldest for ${(oldestWaitingMs / 1_000).toFixed(1)} s`;
      return {
        data: stats,
        text: `waiting: ${waiting}${since}\nrunning: ${running}\ndelayed: ${delayed}\ndead: ${dead}`,
      };
    }),
});
