// What the package needs of a Prometheus client. prom-client and @prometheus-io/client fit, and neither is a
// dependency: spec/types/metrics.ts compiles both against it.

/** The Prometheus client: the module `prom-client` or `@prometheus-io/client`. */
export interface MetricsClient {
  /** The register of the process. */
  readonly register: MetricsRegister;
  readonly Counter: new (configuration: MetricConfiguration) => ClientCounter;
  readonly Gauge: new (configuration: MetricConfiguration) => ClientGauge;
  readonly Histogram: new (configuration: HistogramConfiguration) => ClientHistogram;
}

/** A `Registry` of the Prometheus client. */
export interface MetricsRegister {
  registerMetric(metric: object): void;
  getSingleMetric(name: string): unknown;
}

export interface MetricConfiguration {
  name: string;
  help: string;
  labelNames: string[];
  /** Empty: a metric that is made is not registered yet. */
  registers: [];
  /** How the values of a cluster's workers become one. */
  aggregator: "sum" | "max";
  /** Called at each scrape, which waits for it and fails if it rejects. */
  collect?: () => void | Promise<void>;
}

interface HistogramConfiguration extends MetricConfiguration {
  buckets: number[];
}

export type Labels = Record<string, string>;

interface ClientCounter {
  inc(labels: Labels, value: number): void;
}

export interface ClientGauge {
  set(labels: Labels, value: number): void;
  remove(labels: Labels): void;
}

interface ClientHistogram {
  observe(labels: Labels, value: number): void;
}
