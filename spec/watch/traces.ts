// Records what is published on the channels until the spec ends.

import type { AsyncLocalStorage } from "node:async_hooks";
import { subscribe as subscribeTo, tracingChannel, unsubscribe } from "node:diagnostics_channel";
import type { CallbackTrace, HandlerTrace, StoreTrace } from "express-kaleyra-sms";

import { ended } from "../inbox/temporary";

const MOMENTS = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;
type Moment = (typeof MOMENTS)[number];

interface Traces {
  readonly callback: CallbackTrace;
  readonly handler: HandlerTrace;
  readonly "inbox.store": StoreTrace;
}
type Name = keyof Traces;

export interface Published {
  readonly name: Name;
  readonly moment: Moment;
  readonly trace: CallbackTrace | HandlerTrace | StoreTrace;
}

const NAMES: readonly Name[] = ["callback", "handler", "inbox.store"];

/**
 * Subscribes at one moment.
 *
 * @returns what ends it, as the end of the spec does
 */
export function subscribe<Of extends Name>(
  name: Of,
  moment: Moment,
  subscriber: (trace: Traces[Of]) => void,
): () => void {
  const channel = `tracing:express-kaleyra-sms.${name}:${moment}`;
  const subscribed = (trace: unknown): void => subscriber(trace as Traces[Of]);
  subscribeTo(channel, subscribed);
  const end = (): void => void unsubscribe(channel, subscribed);
  ended.push(end);
  return end;
}

/** Subscribes to all of some channels. */
export function published(names: readonly Name[] = NAMES): Published[] {
  const all: Published[] = [];
  for (const name of names)
    for (const moment of MOMENTS) subscribe(name, moment, (trace) => all.push({ name, moment, trace }));
  return all;
}

/** Binds a store until the spec ends. */
export function bind<Of extends Name, Kept>(
  name: Of,
  storage: AsyncLocalStorage<Kept>,
  keep: (trace: Traces[Of]) => Kept,
): void {
  const { start } = tracingChannel(`express-kaleyra-sms.${name}`);
  start.bindStore(storage, (trace) => keep(trace as Traces[Of]));
  ended.push(() => start.unbindStore(storage));
}

/** In the order in which they were published: `callback.start`. */
export const momentsOf = (all: readonly Published[]): string[] => all.map(({ name, moment }) => `${name}.${moment}`);

/** Each trace that was published, in the order in which they began. */
export function tracesOf<Of extends Name>(all: readonly Published[], name: Of): Array<Traces[Of]> {
  return [...new Set(all.filter((one) => one.name === name).map(({ trace }) => trace as Traces[Of]))];
}

/** The moments of each trace, in the order in which they were published. */
export function momentsOfEach(all: readonly Published[]): string[][] {
  const traces = [...new Set(all.map(({ trace }) => trace))];
  return traces.map((trace) => momentsOf(all.filter((one) => one.trace === trace)));
}

/** The moments of a trace that ends well. */
export const WHOLE = (name: Name): string[] =>
  ["start", "end", "asyncStart", "asyncEnd"].map((one) => `${name}.${one}`);
