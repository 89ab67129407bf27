// The messages of an inbox in memory, and the state of each. Several inboxes can share them, as several processes do.

import type { SmsMessage } from "../../callback/message.js";
import type { InboxSettings } from "../inbox-options.js";
import type { InboxOutcome, InboxStats } from "../inbox.js";
import type { DeadLetter, KeptMessage } from "../operable-inbox.js";
import { backoffAfter } from "../retry.js";
import { storedSource } from "../stored-message.js";

/** A message that has not been handled. */
export interface Kept {
  readonly message: SmsMessage;
  readonly source: string;
  /** Its place in the order of arrival. */
  readonly seq: number;
  state: "waiting" | "running" | "dead";
  /** When it is due, or since when it is dead. In milliseconds. */
  at: number;
  attempts: number;
  reason: string;
  /** It was forgotten while it ran: whatever its outcome, it is not handled again. */
  isForgotten: boolean;
}

export class Messages {
  /** By key, in order of arrival. */
  readonly #kept = new Map<string, Kept>();
  /** The keys of handled, discarded and forgotten messages, and since when. The oldest first. */
  readonly #ended = new Map<string, { readonly seq: number; readonly at: number }>();
  /** The sources of which a message runs. */
  readonly #running = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #arrived = 0;

  /** @param listener - called when a message may have become due */
  listen(listener: () => void): void {
    this.#listeners.add(listener);
  }

  unlisten(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  store(message: SmsMessage, retentionMs: number, now: number): "stored" | "duplicate" {
    for (const [key, { at }] of this.#ended) {
      if (now - at < retentionMs) break;
      this.#ended.delete(key);
    }
    const { key } = message;
    if (this.#ended.has(key)) return "duplicate";
    const kept = this.#kept.get(key);
    if (kept !== undefined) return this.#replay(kept, now) ? "stored" : "duplicate";
    this.#kept.set(key, {
      message,
      source: storedSource(message.source),
      seq: ++this.#arrived,
      state: "waiting",
      at: now,
      attempts: 0,
      reason: "",
      isForgotten: false,
    });
    this.#wake();
    return "stored";
  }

  /** Takes out the oldest message that is due, and marks it as running. */
  take(now: number): Kept | undefined {
    for (const kept of this.#heads()) {
      if (kept.at > now) continue;
      kept.state = "running";
      kept.attempts++;
      this.#running.add(kept.source);
      return kept;
    }
    return undefined;
  }

  /** When the next message is due; `Infinity` if none waits. */
  nextDue(): number {
    let next = Infinity;
    for (const { at } of this.#heads()) next = Math.min(next, at);
    return next;
  }

  end(kept: Kept, outcome: InboxOutcome, settings: InboxSettings, now: number): void {
    this.#running.delete(kept.source);
    if (kept.isForgotten || outcome.outcome === "handled") this.#remove(kept, now);
    else if (outcome.outcome === "released") {
      kept.state = "waiting";
      kept.attempts--;
    } else if (kept.attempts < settings.attempts) {
      kept.state = "waiting";
      kept.at = now + backoffAfter(kept.attempts, settings);
    } else {
      kept.state = "dead";
      kept.at = now;
      kept.reason = outcome.reason;
    }
    this.#wake();
  }

  stats(now: number): InboxStats {
    const stats = { waiting: 0, running: 0, delayed: 0, dead: 0, oldestWaitingMs: 0 };
    for (const kept of this.#kept.values()) {
      const state = stateOf(kept, now);
      stats[state]++;
      if (state === "waiting") stats.oldestWaitingMs = Math.max(stats.oldestWaitingMs, now - kept.at);
    }
    return stats;
  }

  /** Lists at most `limit` dead letters, beginning after the one with the key `after`. */
  deadLetters(limit: number, after: string | undefined): DeadLetter[] {
    const last = after === undefined ? 0 : ((this.#kept.get(after) ?? this.#ended.get(after))?.seq ?? 0);
    return this.#dead()
      .filter(({ seq }) => seq > last)
      .slice(0, limit)
      .map(({ message, attempts, at, reason }) => ({
        key: message.key,
        message,
        attempts,
        failedAt: new Date(at).toISOString(),
        reason,
      }));
  }

  get(key: string, now: number): KeptMessage | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.isForgotten) return undefined;
    const { message, attempts, reason } = kept;
    const state = stateOf(kept, now);
    return state === "dead" ? { state, message, attempts, reason } : { state, message, attempts };
  }

  /** @returns whether a dead letter has that key */
  replay(key: string, now: number): boolean {
    const kept = this.#kept.get(key);
    return kept !== undefined && this.#replay(kept, now);
  }

  /** @returns the number of replayed messages */
  replayAll(now: number): number {
    return this.#dead().filter((kept) => this.#replay(kept, now)).length;
  }

  /** @returns whether a dead letter has that key */
  discard(key: string, now: number): boolean {
    const kept = this.#kept.get(key);
    if (kept?.state !== "dead") return false;
    this.#remove(kept, now);
    return true;
  }

  /** Erases the messages of a subscriber. @returns their number */
  forget(source: string, now: number): number {
    const stored = storedSource(source);
    const found = Array.from(this.#kept.values()).filter((kept) => kept.source === stored && !kept.isForgotten);
    for (const kept of found) {
      if (kept.state === "running") kept.isForgotten = true;
      else this.#remove(kept, now);
    }
    this.#wake();
    return found.length;
  }

  #dead(): Kept[] {
    return Array.from(this.#kept.values()).filter(({ state }) => state === "dead");
  }

  /** The oldest waiting message of each source of which none runs. */
  *#heads(): Generator<Kept> {
    const sources = new Set(this.#running);
    for (const kept of this.#kept.values()) {
      if (kept.state !== "waiting" || sources.has(kept.source)) continue;
      sources.add(kept.source);
      yield kept;
    }
  }

  #replay(kept: Kept, now: number): boolean {
    if (kept.state !== "dead") return false;
    kept.state = "waiting";
    kept.at = now;
    kept.attempts = 0;
    this.#wake();
    return true;
  }

  /** Keeps the key only, by which a duplicate is recognized. */
  #remove({ message: { key }, seq }: Kept, now: number): void {
    this.#kept.delete(key);
    this.#ended.set(key, { seq, at: now });
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
  }
}

function stateOf({ state, at }: Kept, now: number): KeptMessage["state"] {
  return state === "waiting" && at > now ? "delayed" : state;
}
