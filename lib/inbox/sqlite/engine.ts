// Writes the rounds of an inbox to its SQLite file, in this process or in a thread of its own.

import { then, type MaybePromise } from "../../base/maybe-promise.js";
import type { SmsMessage } from "../../callback/message.js";
import type { Engine, Entry, Explanation, Round, Written } from "../rounds/engine.js";
import { textOf } from "../stored-message.js";
import type { Backend } from "./backend.js";
import type { Batch, BatchResult } from "./batch.js";
import { fileFailed, isBusy } from "./driver.js";
import { LOOK_MS } from "./watch.js";

export class SqliteEngine implements Engine {
  readonly lookMs = LOOK_MS;
  readonly #backend: Pick<Backend, "write" | "gone">;

  constructor(backend: Pick<Backend, "write" | "gone">) {
    this.#backend = backend;
  }

  write(round: Round): MaybePromise<Written> {
    return then(this.#backend.write(batchOf(round)), (result) => writtenOf(result, round.arrivals));
  }

  gone(entries: readonly Entry[]): MaybePromise<ReadonlySet<Entry>> {
    return then(this.#backend.gone(entries), (seqs) =>
      seqs.length === 0 ? NONE : new Set(entries.filter(({ seq }) => seqs.includes(seq))),
    );
  }

  explain(error: unknown): Explanation {
    return { error: fileFailed(error), isBrief: isBusy(error), isUnwritten: isBusy(error) };
  }
}

const NONE: ReadonlySet<Entry> = new Set();

function batchOf(round: Round): Batch {
  return {
    ...round,
    arrivals: round.arrivals.map((message) => ({ key: message.key, source: message.source, text: textOf(message) })),
    ended: round.ended.map(({ entry: { seq, owner, attempts, message }, outcome }) => ({
      seq,
      owner,
      attempts,
      source: message.source,
      outcome,
    })),
    started: round.started.map(({ seq, owner }) => ({ seq, owner })),
  };
}

function writtenOf({ entries, ...result }: BatchResult, arrivals: readonly SmsMessage[]): Written {
  return {
    ...result,
    entries: entries.flatMap(({ message: given, ...row }) => {
      const message = typeof given === "number" ? arrivals[given] : given;
      return message === undefined ? [] : [{ ...row, message }];
    }),
  };
}
