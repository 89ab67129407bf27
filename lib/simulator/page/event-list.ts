// The list of events, the newest first. However many come, it is drawn once a frame, and keeps a bounded number.

import type { HandlerEvent } from "../wire.js";
import { byId } from "./element.js";
import { callbackRow, failureRow, type Row } from "./event-row.js";
import type { StreamEvent } from "./stream.js";

type ListedEvent = Extract<StreamEvent, { name: "callback" | "handler" | "failure" | "gone" }>;

const MAX_ROWS = 300;
/** Events that wait for the next frame: none is drawn in a hidden tab, or while the list is paused. */
const MAX_WAITING = 2_000;
/** Messages whose handlers have ended before their callback was answered. */
const MAX_UNANSWERED = 300;

const list = byId("events", HTMLOListElement);
const empty = byId("no-events", HTMLElement);
const goneNote = byId("gone", HTMLElement);
const filter = byId("filter", HTMLInputElement);
const pause = byId("pause", HTMLButtonElement);
const clear = byId("clear", HTMLButtonElement);

/** The oldest first. */
let rows: Row[] = [];
let waiting: ListedEvent[] = [];
let gone = 0;
let isScheduled = false;
let isPaused = false;
/** The rows of messages in the inbox, whose handlers run after the answer. */
const stored = new Map<string, Row>();
const unanswered = new Map<string, HandlerEvent[]>();

/** @param announce - reports to a screen reader what came */
export function startEventList(announce: (what: string) => void): (event: ListedEvent) => void {
  filter.addEventListener("input", () => {
    for (const row of rows) applyFilter(row);
  });
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    schedule(announce);
    showPause();
  });
  clear.addEventListener("click", () => {
    rows = [];
    waiting = [];
    gone = 0;
    stored.clear();
    list.replaceChildren();
    showState();
  });
  return (event) => {
    waiting.push(event);
    if (waiting.length > MAX_WAITING) dropWaiting();
    if (isPaused) showPause();
    else schedule(announce);
  };
}

function schedule(announce: (what: string) => void): void {
  if (isScheduled || isPaused) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    if (!isPaused) draw(announce);
  });
}

function draw(announce: (what: string) => void): void {
  const events = waiting;
  waiting = [];
  // Rows that would be dropped at once are not made.
  let unmade = events.filter(isRow).length - MAX_ROWS;
  const made: Row[] = [];
  for (const event of events) {
    if (event.name === "gone") gone += event.data.count;
    else if (event.name === "handler") addHandler(event.data);
    else if (unmade-- > 0) gone++;
    else made.push(rowOf(event));
  }
  rows.push(...made);
  list.prepend(...made.map(({ item }) => item).reverse());
  const dropped = rows.splice(0, Math.max(0, rows.length - MAX_ROWS));
  for (const { item } of dropped) item.remove();
  for (const [key, row] of stored) {
    if (!dropped.includes(row)) break;
    stored.delete(key);
  }
  gone += dropped.length;
  showState();
  if (made.length > 0) announce(`${made.length} new ${made.length === 1 ? "event" : "events"}.`);
}

function isRow({ name }: ListedEvent): boolean {
  return name === "callback" || name === "failure";
}

function rowOf(event: Extract<ListedEvent, { name: "callback" | "failure" }>): Row {
  const row = event.name === "callback" ? callbackRow(event.data) : failureRow(event.data);
  if (event.name === "callback" && event.data.message !== undefined && event.data.outcome !== "duplicate") {
    const { key } = event.data.message;
    for (const handler of unanswered.get(key) ?? []) row.addHandler(handler);
    unanswered.delete(key);
    if (event.data.outcome === "stored") stored.set(key, row);
  }
  applyFilter(row);
  return row;
}

function addHandler(handler: HandlerEvent): void {
  const row = stored.get(handler.key);
  if (row !== undefined) {
    row.addHandler(handler);
    return;
  }
  const others = unanswered.get(handler.key);
  if (others !== undefined) others.push(handler);
  else unanswered.set(handler.key, [handler]);
  const [oldest] = unanswered.keys();
  if (unanswered.size > MAX_UNANSWERED && oldest !== undefined) unanswered.delete(oldest);
}

function dropWaiting(): void {
  const [oldest] = waiting.splice(0, 1);
  if (oldest === undefined) return;
  if (oldest.name === "gone") gone += oldest.data.count;
  else if (isRow(oldest)) gone++;
}

function applyFilter({ item, words }: Row): void {
  item.hidden = !words.includes(filter.value.trim().toLowerCase());
}

function showState(): void {
  empty.hidden = rows.length > 0;
  goneNote.hidden = gone === 0;
  const events = `${gone.toLocaleString("en")} earlier ${gone === 1 ? "event is" : "events are"}`;
  goneNote.textContent = `${events} gone: the list keeps the latest ${MAX_ROWS}.`;
  showPause();
}

function showPause(): void {
  const count = isPaused ? waiting.filter(isRow).length : 0;
  pause.textContent = isPaused ? `Resume${count === 0 ? "" : ` (${count.toLocaleString("en")} new)`}` : "Pause";
}
