// `inbox forget`: erases what is kept of a subscriber.

import { verb } from "../verb.js";
import { assertConfirmed, changed, CONFIRM, DRY_RUN, INBOX_OPTIONS, withInbox } from "./opened.js";

export const inboxForget = verb({
  name: "inbox forget",
  summary: "Erases the number and the texts of a subscriber, in every state. A message that waits is not handled then.",
  operands: ["SOURCE"],
  options: { ...INBOX_OPTIONS, "dry-run": DRY_RUN, yes: CONFIRM },
  examples: [
    { line: "inbox forget +919876500001 --sqlite inbox.db --dry-run", does: "how many messages there are" },
    { line: "inbox forget +919876500001 --sqlite inbox.db --yes", does: "erases them" },
  ],
  notes: [
    "SOURCE is the number in any form that needs no country. If there are no messages, none are erased: exit code 0.",
    "Of a message that runs, what is kept is erased, and its handlers run to their end. " +
      "Redis keeps what was written in its append-only file until it rewrites the file: BGREWRITEAOF does so at once.",
    "PostgreSQL keeps what was erased in its files until it vacuums the table, which it does by itself, " +
      "and in its log and backups.",
  ],
  run: async ({ operands: [source = ""], options, signal }) => {
    assertConfirmed(options);
    const isDry = options["dry-run"];
    return withInbox(options, signal, async (inbox) =>
      changed(isDry ? await inbox.countOf(source) : await inbox.forget(source), isDry, "erased"),
    );
  },
});
