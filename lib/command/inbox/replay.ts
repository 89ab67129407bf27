// `inbox replay`: gives dead letters all their attempts again.

import { wrongUse } from "../failure.js";
import { verb } from "../verb.js";
import { changed, DRY_RUN, INBOX_OPTIONS, noDeadLetter, withInbox } from "./opened.js";

export const inboxReplay = verb({
  name: "inbox replay",
  summary: "Gives a dead letter, or all of them, every attempt again. The running app handles them.",
  operands: ["[KEY]"],
  options: {
    ...INBOX_OPTIONS,
    all: { help: "Replays every dead letter, in place of KEY." },
    "dry-run": DRY_RUN,
  },
  examples: [
    { line: "inbox replay KEY --sqlite inbox.db", does: "one; inbox dead lists keys" },
    { line: "inbox replay --all --postgres env:DATABASE_URL", does: "all, once the handler is corrected" },
  ],
  run: async ({ operands: [key], options, signal }) => {
    if ((key === undefined) !== options.all)
      throw wrongUse("inbox replay takes either KEY or --all.", "inbox dead lists the keys of dead letters.");
    const isDry = options["dry-run"];
    return withInbox(options, signal, async (inbox) => {
      if (key === undefined)
        return changed(isDry ? (await inbox.stats()).dead : await inbox.replayAll(), isDry, "replayed");
      const count = isDry ? Number((await inbox.get(key))?.state === "dead") : await inbox.replay(key);
      if (count === 0) throw await noDeadLetter(inbox, key);
      return changed(count, isDry, "replayed");
    });
  },
});
