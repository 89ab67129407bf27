// `inbox discard`: removes a dead letter that nobody wants.

import { verb } from "../verb.js";
import { assertConfirmed, changed, CONFIRM, DRY_RUN, INBOX_OPTIONS, noDeadLetter, withInbox } from "./opened.js";

export const inboxDiscard = verb({
  name: "inbox discard",
  summary: "Removes a dead letter that nobody wants. Its key is kept, so that its callback stays a duplicate.",
  operands: ["KEY"],
  options: { ...INBOX_OPTIONS, "dry-run": DRY_RUN, yes: CONFIRM },
  examples: [
    { line: "inbox discard KEY --sqlite inbox.db --dry-run", does: "whether there is such a dead letter" },
    { line: "inbox discard KEY --sqlite inbox.db --yes", does: "removes it" },
  ],
  run: async ({ operands: [key = ""], options, signal }) => {
    assertConfirmed(options);
    const isDry = options["dry-run"];
    return withInbox(options, signal, async (inbox) => {
      const count = isDry ? Number((await inbox.get(key))?.state === "dead") : await inbox.discard(key);
      if (count === 0) throw await noDeadLetter(inbox, key);
      return changed(count, isDry, "discarded");
    });
  },
});
