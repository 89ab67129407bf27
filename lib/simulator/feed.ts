// The latest events, in a bounded buffer: a page that was opened late, or lost its connection, gets what it missed.

import { randomBytes } from "node:crypto";

import type { StreamEvents } from "./wire.js";

const MAX_EVENTS = 1_000;
/** UTF-16 code units. The latest event is kept however long it is. */
const MAX_LENGTH = 4_194_304;

export class Feed {
  /** Tells the events of this process from those before a restart. */
  readonly #run = randomBytes(4).toString("hex");
  readonly #listeners = new Set<() => void>();
  #blocks: string[] = [];
  /** The number of the first event that is kept. */
  #first = 0;
  #length = 0;

  push<Name extends "callback" | "handler" | "failure">(name: Name, data: StreamEvents[Name]): void {
    const block = `id: ${this.#run}-${this.#end}\n${eventBlock(name, data)}`;
    this.#blocks.push(block);
    this.#length += block.length;
    while (this.#blocks.length > MAX_EVENTS || (this.#length > MAX_LENGTH && this.#blocks.length > 1)) this.#drop();
    for (const listener of this.#listeners) listener();
  }

  /** @returns a function that removes the listener */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The number of the event after the one with this id. After a restart, that of the first event. */
  after(id: string | undefined): number {
    const [run, number] = id?.split("-") ?? [];
    const after = Number(number) + 1;
    return run === this.#run && Number.isSafeInteger(after) && after >= 0 ? Math.min(after, this.#end) : 0;
  }

  /** The events from a number on, and how many before them are gone. */
  from(number: number): { readonly gone: number; readonly blocks: string; readonly next: number } {
    const start = Math.max(number, this.#first);
    const blocks = this.#blocks.slice(start - this.#first);
    return { gone: start - number, blocks: blocks.join(""), next: this.#end };
  }

  get #end(): number {
    return this.#first + this.#blocks.length;
  }

  #drop(): void {
    this.#length -= this.#blocks.shift()?.length ?? 0;
    this.#first++;
  }
}

/** An event as `text/event-stream` has it. JSON has no line breaks. */
export function eventBlock<Name extends keyof StreamEvents>(name: Name, data: StreamEvents[Name]): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
