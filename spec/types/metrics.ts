// Compiled by `npm run types`, never run. Both Prometheus clients must fit, as they declare themselves.

import * as prometheusClient from "@prometheus-io/client";
import { incomingSms } from "express-kaleyra-sms";
import { metrics, type MetricsClient, type MetricsOptions, type MetricsRegister } from "express-kaleyra-sms/metrics";
import { expectTypeOf } from "expect-type";
import promClientByDefault, * as promClient from "prom-client";

const sms = incomingSms();

expectTypeOf(metrics).returns.toBeVoid();
metrics(sms, { client: promClient });
metrics(sms, { client: promClientByDefault });
metrics(sms, { client: promClient, register: new promClient.Registry(), prefix: "sms_" });
metrics(sms, { client: promClient, register: new promClient.Registry<promClient.OpenMetricsContentType>() });
metrics(sms, { client: promClient, register: promClient.AggregatorRegistry.merge([promClient.register]) });

metrics(sms, { client: prometheusClient });
metrics(sms, { client: prometheusClient, register: new prometheusClient.Registry(), prefix: undefined });
metrics(sms, {
  client: prometheusClient,
  register: new prometheusClient.Registry(prometheusClient.openMetricsContentType),
});
metrics(sms, { client: prometheusClient, register: new prometheusClient.ClusterRegistry() });

expectTypeOf<typeof promClient>().toExtend<MetricsClient>();
expectTypeOf<typeof prometheusClient>().toExtend<MetricsClient>();
expectTypeOf<MetricsOptions["register"]>().toEqualTypeOf<MetricsRegister | undefined>();

// @ts-expect-error: the client is missing
metrics(sms, {});
// @ts-expect-error: a register is not a client
metrics(sms, { client: promClient.register });
// @ts-expect-error: a client is not a register
metrics(sms, { client: promClient, register: promClient });
// @ts-expect-error: a misspelt option
metrics(sms, { client: promClient, registry: promClient.register });
// @ts-expect-error: a prefix is a text
metrics(sms, { client: promClient, prefix: 1 });
