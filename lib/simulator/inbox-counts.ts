// Counts the messages in the router's inbox, while a page is open.

import type { Inbox } from "../inbox/inbox.js";
import { statsOf } from "../inbox/stats.js";
import type { InboxEvent } from "./wire.js";

interface InboxCounts {
  /** A page was opened: it gets the counts now, and whenever they have changed. */
  watch(): void;
  stop(): void;
}

const POLL_MS = 1_000;

/** An inbox of the user's own may have no `stats`: then nothing is shown. */
export function createInboxCounts(inbox: Inbox | undefined, report: (event: InboxEvent) => void): InboxCounts {
  const stats = inbox && statsOf(inbox);
  if (stats === undefined) return { watch: () => undefined, stop: () => undefined };
  let timer: NodeJS.Timeout | undefined;
  let isAsking = false;
  let last = "";

  const counts = async (): Promise<InboxEvent> => {
    try {
      const { waiting, running, delayed, dead } = await stats();
      return { counts: { waiting, running, delayed, dead } };
    } catch {
      return {};
    }
  };
  const ask = async (): Promise<void> => {
    // A slow inbox is not asked again before it has answered.
    if (isAsking) return;
    isAsking = true;
    const event = await counts();
    isAsking = false;
    const shown = JSON.stringify(event);
    if (shown === last || timer === undefined) return;
    last = shown;
    report(event);
  };
  return {
    watch: () => {
      last = "";
      timer ??= setInterval(() => void ask(), POLL_MS).unref();
      void ask();
    },
    stop: () => {
      clearInterval(timer);
      timer = undefined;
    },
  };
}
