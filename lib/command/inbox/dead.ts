// `inbox dead`: the messages whose attempts have all failed, a page at a time.

import type { DeadLetter } from "../../inbox/operable-inbox.js";
import { wrongUse } from "../failure.js";
import { masked, printable } from "../printable.js";
import { verb } from "../verb.js";
import { INBOX_OPTIONS, withInbox } from "./opened.js";

const DEFAULT_LIMIT = 100;

export const inboxDead = verb({
  name: "inbox dead",
  summary: "Lists the dead letters of an inbox, the oldest first: the messages whose attempts have all failed.",
  options: {
    ...INBOX_OPTIONS,
    limit: { value: "N", help: `How many at most. Default: ${DEFAULT_LIMIT}.` },
    after: { value: "KEY", help: "Begins after this one: the last of the page before." },
  },
  examples: [
    { line: "inbox dead --sqlite inbox.db", does: "the first page" },
    { line: "inbox dead --redis env:REDIS_URL --limit 1000 --json", does: "for a script; data.next is for --after" },
  ],
  notes: ["Numbers are masked, and texts left out: inbox show KEY shows them."],
  run: ({ options, output, signal }) => {
    const limit = limitOf(options.limit);
    return withInbox(options, signal, async (inbox) => {
      const found = await inbox.deadLetters({ limit: limit + 1, after: options.after });
      const letters = found.slice(0, limit).map(shown);
      const next = found.length > limit ? letters.at(-1)?.key : undefined;
      if (next !== undefined) output.note(`There are more: --after ${next}`);
      return {
        data: { deadLetters: letters, ...(next !== undefined && { next }) },
        text: letters.length === 0 ? "No dead letters." : table(letters),
      };
    });
  },
});

function limitOf(given: string | undefined): number {
  if (given === undefined) return DEFAULT_LIMIT;
  if (!/^[1-9]\d{0,4}$/.test(given))
    throw wrongUse("--limit takes a whole number from 1 to 99999.", "Say --limit 100.");
  return Number(given);
}

type Shown = Omit<DeadLetter, "message"> & { readonly source: string };

function shown({ key, message, attempts, failedAt, reason }: DeadLetter): Shown {
  return { key, source: masked(message.source), attempts, failedAt, reason };
}

function table(letters: readonly Shown[]): string {
  const rows = [
    ["KEY", "SOURCE", "ATTEMPTS", "FAILED AT", "REASON"],
    ...letters.map((one) => [one.key, one.source, String(one.attempts), one.failedAt, printable(one.reason)]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")).join("\n");
}
