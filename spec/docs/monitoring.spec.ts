// docs/monitoring.md: it lists the metrics that there are and what health() says, and its routes answer.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { expect, it } from "@jest/globals";
import { incomingSms } from "express-kaleyra-sms";
import { metrics } from "express-kaleyra-sms/metrics";
import { memoryInbox } from "express-kaleyra-sms/testing";
import express from "express";
import * as client from "prom-client";

import { closeServers, listen, recorder } from "../support/recorder";
import { names, readPage, ROOT } from "./page";

const PAGE = readPage("docs/monitoring.md");

it("lists every metric with its labels, and nothing else", async () => {
  const sms = incomingSms({ inbox: memoryInbox(), authenticate: false });
  const register = new client.Registry();
  metrics(sms, { client, register, prefix: "_" });
  // The types of the client do not have what it knows of a metric's labels.
  const made = register.getMetricsAsArray() as ReadonlyArray<{ name: string; labelNames?: string[] }>;
  const registered = made.map(({ name, labelNames = [] }) =>
    labelNames.length === 0 ? name.slice(1) : `${name.slice(1)}{${labelNames.join(",")}}`,
  );
  expect(names(PAGE.table("## Metrics")).sort()).toEqual(registered.sort());
  await sms.close();
});

it("lists every reason and warning of health(), and nothing else", () => {
  const types = readFileSync(join(ROOT, "dist", "watch", "health.d.ts"), "utf8");
  const all = Array.from(types.matchAll(/"([a-z-]+)"/g), ([, name = ""]) => name);
  expect(names(PAGE.table("## What /health says")).filter((name) => !["reasons", "warnings"].includes(name))).toEqual(
    all,
  );
});

it("has routes for an Express app, which answer a scrape and probes", async () => {
  const { sms } = recorder();
  const register = new client.Registry();
  metrics(sms, { client, register });
  const app = express();
  for (const part of ['app.get("/metrics"', 'app.get("/health"'])
    runInNewContext(PAGE.block("js", part), { app, sms, client: { register } });
  const url = `http://127.0.0.1:${await listen(app)}`;
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^kaleyra_sms_in_flight \d/m);
  const answered = async (path: string): Promise<unknown> => {
    const response = await fetch(`${url}${path}`);
    return [response.status, await response.text()];
  };
  expect(await answered("/health")).toEqual([200, '{"ready":true,"reasons":[],"warnings":[]}']);
  await sms.close();
  expect(await answered("/health")).toEqual([503, '{"ready":false,"reasons":["closing"],"warnings":[]}']);
  expect(await answered("/alive")).toEqual([200, ""]);
  await closeServers();
});
