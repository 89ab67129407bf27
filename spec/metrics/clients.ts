// The Prometheus clients, and what a scrape of them shows.

import { createRequire } from "node:module";
import { describe } from "@jest/globals";
import {
  incomingSms,
  type Inbox,
  type InboxWork,
  type IncomingSms,
  type IncomingSmsOptions,
} from "express-kaleyra-sms";
import { metrics } from "express-kaleyra-sms/metrics";
import * as promClient from "prom-client";

import { deferred, type SomeOptions } from "../support/recorder";

export type Client = typeof promClient;

// Node's own require, since the module must not be loaded by a Node that it does not support.
const load = createRequire(__filename);
const isSupported = Number.parseInt(process.versions.node) >= 22;

/** Runs specs with each client. Under a Node that one of them does not support, they are skipped, with the reason. */
export function withEachClient(specs: (client: Client) => void): void {
  describe("with prom-client", () => specs(promClient));
  if (isSupported) describe("with @prometheus-io/client", () => specs(load("@prometheus-io/client") as Client));
  else describe.skip("with @prometheus-io/client, which needs Node 22", () => specs(promClient));
}

/** The samples of a scrape by series, such as `callbacks_total{method="GET",outcome="handled"}`. */
export type Samples = Readonly<Record<string, number>>;

const PREFIX = "kaleyra_sms_";

export interface Scraped {
  /** Scrapes, and returns the text. */
  text(): Promise<string>;
  /** Scrapes, and returns the samples, without the prefix. */
  samples(prefix?: string): Promise<Samples>;
  /** Scrapes, and returns what has been counted: of counters, and of histograms their `_count`. */
  counts(): Promise<Samples>;
}

export function scraped(register: Pick<Client["register"], "metrics">): Scraped {
  const text = (): Promise<string> => register.metrics();
  const samples = async (prefix = PREFIX): Promise<Samples> =>
    Object.fromEntries(
      (await text())
        .split("\n")
        .filter((line) => line.startsWith(prefix))
        .map((line) => {
          const end = line.lastIndexOf(" ");
          return [line.slice(prefix.length, end), Number(line.slice(end))];
        }),
    );
  const counts = async (): Promise<Samples> => {
    const all = Object.entries(await samples());
    return Object.fromEntries(all.filter(([name, value]) => /_(?:total|count)(?:\{|$)/.test(name) && value > 0));
  };
  return { text, samples, counts };
}

export interface Measured extends Scraped {
  readonly sms: IncomingSms;
  readonly register: Client["register"];
  /** The log lines. */
  readonly lines: string[];
}

/**
 * Makes a router without handlers, and registers its metrics. Anyone may call it, unless `options.authenticate` is set.
 */
export function measured(client: Client, options: SomeOptions = {}): Measured {
  const lines: string[] = [];
  const logger = { warn: (line: string) => lines.push(line), error: (line: string) => lines.push(line) };
  const sms = incomingSms({ logger, authenticate: false, ...options } as IncomingSmsOptions);
  const register = new client.Registry();
  metrics(sms, { client, register });
  return { sms, register, lines, ...scraped(register) };
}

/** An inbox of a user's own: it stores nothing, and hands out nothing by itself. */
export interface OwnInbox extends Inbox {
  /** Resolves with what the router gives the inbox to report its failures. Only when a handler is registered. */
  readonly work: Promise<InboxWork>;
}

/** @param methods - those that it has in place of the default ones, or besides */
export function ownInbox(methods: Partial<Inbox> = {}): OwnInbox {
  const { promise: work, resolve: start } = deferred<InboxWork>();
  return {
    work,
    store: async () => Promise.resolve("stored"),
    start,
    close: async () => Promise.resolve(),
    // So long that no heartbeat falls into a spec, but the first one.
    leaseMs: 600_000,
    ...methods,
  };
}
