// `inbox show`: one message, whole.

import { printableJson } from "../printable.js";
import { verb } from "../verb.js";
import { INBOX_OPTIONS, noMessage, withInbox } from "./opened.js";

export const inboxShow = verb({
  name: "inbox show",
  summary: "Shows one message of an inbox: its state, its attempts, and all that the subscriber sent.",
  operands: ["KEY"],
  options: INBOX_OPTIONS,
  examples: [
    { line: "inbox show KEY --sqlite inbox.db", does: "number and text included; inbox dead lists keys" },
    { line: "inbox show KEY --postgres @database-url.txt --json", does: "for a script" },
  ],
  notes: ["Of a handled, discarded or forgotten message, an inbox keeps the key only: it is not there."],
  run: ({ operands: [key = ""], options, signal }) =>
    withInbox(options, signal, async (inbox) => {
      const kept = await inbox.get(key);
      if (kept === undefined) throw noMessage();
      return { data: kept, text: printableJson(kept) };
    }),
});
