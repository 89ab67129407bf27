// Server-sent events to one open page. A page that reads slowly gets the events when it can, if they are still kept.

import type { IncomingMessage, ServerResponse } from "node:http";

import { eventBlock, type Feed } from "./feed.js";
import type { Hello, InboxEvent } from "./wire.js";

/** How long a browser waits before it connects again. */
const RETRY_MS = 1_000;
/** A proxy or a browser ends a connection on which nothing comes. */
const HEARTBEAT_MS = 15_000;

export class EventStream {
  readonly #res: ServerResponse;
  readonly #feed: Feed;
  #next: number;
  #isScheduled = false;
  #isFull = false;
  /** Counts that could not be written yet. */
  #inbox: InboxEvent | undefined;

  constructor(req: IncomingMessage, res: ServerResponse, feed: Feed, hello: Hello) {
    const lastId = req.headers["last-event-id"];
    this.#res = res;
    this.#feed = feed;
    this.#next = feed.after(typeof lastId === "string" ? lastId : undefined);
    this.#write(`retry: ${RETRY_MS}\n${eventBlock("hello", hello)}`);
    this.#pump();
    const stopListening = feed.listen(() => this.#schedule());
    const heartbeat = setInterval(() => this.#write(":\n\n"), HEARTBEAT_MS).unref();
    res.on("drain", () => {
      this.#isFull = false;
      this.#pump();
    });
    res.once("close", () => {
      stopListening();
      clearInterval(heartbeat);
    });
  }

  /** Not kept: a page that is opened later gets the counts of that time. */
  sendInbox(event: InboxEvent): void {
    this.#inbox = event;
    this.#pump();
  }

  end(): void {
    this.#res.end();
  }

  /** Events of one turn of the event loop are written together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#isFull) return;
    const { gone, blocks, next } = this.#feed.from(this.#next);
    this.#next = next;
    if (gone > 0) this.#write(eventBlock("gone", { count: gone }));
    if (blocks !== "") this.#write(blocks);
    if (this.#inbox !== undefined) this.#write(eventBlock("inbox", this.#inbox));
    this.#inbox = undefined;
  }

  #write(text: string): void {
    if (this.#res.writableEnded || this.#res.destroyed) return;
    if (!this.#res.write(text)) this.#isFull = true;
  }
}
