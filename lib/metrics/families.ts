// Makes metrics with the user's Prometheus client, and registers all of them or none.

import { invalidOption } from "../base/errors.js";
import type { ClientGauge, Labels, MetricConfiguration } from "./client.js";
import type { MetricsSettings } from "./metrics-options.js";

/** The values of a label, as keys. Typed as the record of a union, it compiles only if it has each of its values. */
export type Values<Value extends string> = Readonly<Record<Value, true>>;

/** The labels of a metric, each with all its values. */
type Sets = Readonly<Record<string, Values<string>>>;
type LabelsOf<Given extends Sets> = { readonly [Name in keyof Given]: keyof Given[Name] & string };

export class Families {
  readonly #settings: MetricsSettings;
  readonly #made: Array<{ readonly name: string; readonly metric: object }> = [];

  constructor(settings: MetricsSettings) {
    this.#settings = settings;
  }

  /**
   * Makes a counter. It begins at 0 for each of its labels: `increase()` does not see the first event of a series that
   * begins with it.
   *
   * @param collect - called before its values are read
   * @returns a function that counts one
   */
  counter<Given extends Sets>(
    name: string,
    help: string,
    sets: Given,
    collect?: MetricConfiguration["collect"],
  ): (labels: LabelsOf<Given>) => void {
    const configuration = this.#configuration(name, help, Object.keys(sets), "sum", collect);
    const counter = new this.#settings.client.Counter(configuration);
    for (const labels of combinations(sets)) counter.inc(labels, 0);
    this.#add(configuration, counter);
    return (labels) => counter.inc({ ...labels }, 1);
  }

  /**
   * Makes a gauge, whose values are set at each scrape.
   *
   * @param aggregator - `max` if each worker of a cluster has the value of all
   * @param collect - sets the values. Neither throws nor rejects
   */
  gauge(
    name: string,
    help: string,
    { labelNames = [], aggregator }: { readonly labelNames?: string[]; readonly aggregator: "sum" | "max" },
    collect: (gauge: ClientGauge) => void | Promise<void>,
  ): void {
    const configuration = this.#configuration(name, help, labelNames, aggregator, () => collect(gauge));
    const gauge = new this.#settings.client.Gauge(configuration);
    // Older clients accept it, and never call it: the gauge would stay 0.
    if (!("collect" in gauge))
      throw invalidOption("client of metrics takes prom-client from version 13 on, or @prometheus-io/client.");
    this.#add(configuration, gauge);
  }

  /**
   * Makes a histogram of durations.
   *
   * @param buckets - in seconds
   * @returns a function that starts to measure, and returns one that ends it
   */
  histogram<Given extends Sets>(
    name: string,
    help: string,
    sets: Given,
    buckets: readonly number[],
  ): () => (labels: LabelsOf<Given>) => void {
    const configuration = this.#configuration(name, help, Object.keys(sets), "sum");
    // The client freezes the array of buckets.
    const histogram = new this.#settings.client.Histogram({ ...configuration, buckets: [...buckets] });
    this.#add(configuration, histogram);
    return () => {
      const start = performance.now();
      return (labels) => histogram.observe({ ...labels }, (performance.now() - start) / 1_000);
    };
  }

  /** @throws TypeError if the register has a metric of one of the names. Then none is registered */
  registerAll(): void {
    const { register } = this.#settings;
    for (const { name } of this.#made) {
      if (register.getSingleMetric(name) !== undefined)
        throw invalidOption(
          `prefix of metrics takes one that the register does not have: ${name} is registered. ` +
            "Give another prefix, or another register.",
        );
    }
    for (const { metric } of this.#made) register.registerMetric(metric);
  }

  #configuration(
    name: string,
    help: string,
    labelNames: string[],
    aggregator: MetricConfiguration["aggregator"],
    collect?: MetricConfiguration["collect"],
  ): MetricConfiguration {
    const configuration: MetricConfiguration = {
      name: this.#settings.prefix + name,
      help,
      labelNames,
      registers: [],
      aggregator,
    };
    return collect === undefined ? configuration : { ...configuration, collect };
  }

  #add({ name }: MetricConfiguration, metric: object): void {
    this.#made.push({ name, metric });
  }
}

/** Every combination of the labels' values. */
function combinations(sets: Sets): Labels[] {
  return Object.entries(sets).reduce<Labels[]>(
    (before, [name, values]) =>
      before.flatMap((labels) => Object.keys(values).map((value) => ({ ...labels, [name]: value }))),
    [{}],
  );
}
