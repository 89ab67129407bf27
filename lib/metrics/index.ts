// The public surface of express-kaleyra-sms/metrics.

export { metrics } from "./metrics.js";
export type { MetricsOptions } from "./metrics-options.js";
export type { MetricsClient, MetricsRegister } from "./client.js";
