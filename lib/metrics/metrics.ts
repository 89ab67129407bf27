// The metrics of a router for Prometheus: it is observed, and what it does is counted.

import { stateOf } from "../pipeline/router-state.js";
import type { IncomingSms } from "../router.js";
import { callbackMetrics } from "./callback-metrics.js";
import { Families } from "./families.js";
import { handlerMetrics } from "./handler-metrics.js";
import { inboxMetrics } from "./inbox-metrics.js";
import { readMetricsOptions, type MetricsOptions } from "./metrics-options.js";

/**
 * Registers metrics of a router with your Prometheus client: of callbacks, by HTTP, `sms.fetch` and `sms.receive`, of
 * handlers, and of the inbox. Their labels have fixed values: never a number, a text, or a keyword that was typed.
 *
 * It counts from now on, for as long as the router lives, and is no handler: log lines and warnings stay as they are
 * without it. docs/monitoring.md lists the metrics, and docs/alerts.yaml has alert rules.
 *
 * @throws TypeError if the argument is not a router, or an option is unknown or has a wrong value
 * @throws TypeError if the register has metrics of this prefix already. Then nothing is registered
 * @example
 * import client from "prom-client";
 *
 * metrics(sms, { client });
 * app.get("/metrics", async (_req, res) => {
 *   res.type(client.register.contentType).send(await client.register.metrics());
 * });
 */
export function metrics(sms: IncomingSms, options: MetricsOptions): void {
  const { inbox, observe } = stateOf(sms, "metrics");
  const families = new Families(readMetricsOptions(options));
  const observer = {
    ...callbackMetrics(families),
    ...handlerMetrics(families),
    ...(inbox === undefined ? {} : inboxMetrics(families, inbox)),
  };
  families.registerAll();
  observe(observer);
}
