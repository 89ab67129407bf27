// The options of metrics: their types, defaults and checks.

import { invalidOption } from "../base/errors.js";
import { isRecord } from "../base/record.js";
import type { MetricsClient, MetricsRegister } from "./client.js";

/** The options of `metrics`. */
export interface MetricsOptions {
  /** The Prometheus client of your app: the module `prom-client` or `@prometheus-io/client`. */
  readonly client: MetricsClient;
  /** A `Registry` of that client. Default: `client.register`, that of the process. */
  readonly register?: MetricsRegister | undefined;
  /** What the name of each metric begins with. Default: `"kaleyra_sms_"`. A second router needs another one. */
  readonly prefix?: string | undefined;
}

export type MetricsSettings = { readonly [Name in keyof MetricsOptions]-?: NonNullable<MetricsOptions[Name]> };

/** The beginning of a metric's name, as Prometheus has it. */
const PREFIX = /^[a-z_:][\w:]*$/i;

interface Option {
  /** Completes the sentence "name of metrics takes ...". */
  readonly takes: string;
  readonly accepts: (value: unknown) => boolean;
}

const OPTIONS: Readonly<Record<keyof MetricsOptions, Option>> = {
  client: {
    takes: 'the Prometheus client: import client from "prom-client", or from "@prometheus-io/client"',
    accepts: (value) => isRecord(value) && hasFunctions(value, ["Counter", "Gauge", "Histogram"]),
  },
  register: {
    takes: "a Registry of the client, such as client.register",
    accepts: (value) => isRecord(value) && hasFunctions(value, ["registerMetric", "getSingleMetric"]),
  },
  prefix: {
    takes: 'the beginning of a metric\'s name, such as "sms_": letters, digits and "_", the first not a digit',
    accepts: (value) => typeof value === "string" && PREFIX.test(value),
  },
};

/** @throws TypeError if an option is missing, unknown or has a wrong value */
export function readMetricsOptions(options: MetricsOptions): MetricsSettings {
  const given: unknown = options;
  if (!isRecord(given)) throw invalidOption("metrics takes a router and options: metrics(sms, { client }).");
  const names = Object.keys(OPTIONS);
  for (const name of Object.keys(given)) {
    if (!names.includes(name))
      throw invalidOption(`${name} is not an option of metrics. They are ${names.join(", ")}.`);
  }
  check("client", options.client);
  const { client, register = client.register, prefix = "kaleyra_sms_" } = options;
  check("register", register);
  check("prefix", prefix);
  return { client, register, prefix };
}

function check(name: keyof MetricsOptions, value: unknown): void {
  const { takes, accepts } = OPTIONS[name];
  if (!accepts(value)) throw invalidOption(`${name} of metrics takes ${takes}.`);
}

function hasFunctions(value: Record<string, unknown>, names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === "function");
}
