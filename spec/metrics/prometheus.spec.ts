// A Prometheus server scrapes a router while callbacks come, and has what was sent.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { memoryInbox } from "express-kaleyra-sms/testing";

import { ended, temporaryFolder } from "../inbox/temporary";
import { callback } from "../support/callbacks";
import { freePort } from "../support/free-port";
import { closeServers, deferred, listen } from "../support/recorder";
import { measured, withEachClient, type Measured } from "./clients";

const isInstalled = spawnSync("prometheus", ["--version"]).status === 0;
if (!isInstalled) {
  const what = "The specs with a Prometheus server are left out: prometheus is not installed.";
  if (process.env.CI === "true") throw new Error(what);
  console.warn(what);
}

const TOKEN = { "X-Callback-Token": "secret" };
/** In milliseconds. Prometheus starts within a second, but not on a machine that is busy. */
const LIMIT = 60_000;

interface Target {
  /** Where callbacks are sent. */
  readonly url: string;
  readonly port: number;
  /** Resolves when the next scrape begins. */
  scrape(): Promise<void>;
  /** Resolves when a scrape that began after this call is stored. */
  stored(): Promise<void>;
}

/** Serves a router and its metrics. */
async function serve({ sms, register }: Measured): Promise<Target> {
  let waiting: Array<() => void> = [];
  const server = createServer((req, res) =>
    sms(req, res, () => {
      const scraping = waiting;
      waiting = [];
      for (const resolve of scraping) resolve();
      void register
        .metrics()
        .then((text) => res.setHeader("Content-Type", register.contentType).end(text))
        .catch(() => res.writeHead(500).end());
    }),
  );
  const port = await listen(server);
  const scrape = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  return {
    url: `http://127.0.0.1:${port}/`,
    port,
    scrape,
    // A target is scraped again only when the scrape before is stored.
    stored: async () => {
      await scrape();
      await scrape();
    },
  };
}

interface Prometheus {
  /** Resolves with the values of an expression, by their labels. */
  query(expression: string): Promise<Record<string, unknown>>;
}

/** Starts a server that scrapes the target each second. */
async function prometheus(port: number): Promise<Prometheus> {
  const folder = temporaryFolder();
  const config = join(folder, "prometheus.yml");
  const own = await freePort();
  writeFileSync(
    config,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs: [{ job_name: sms, static_configs: [{ targets: ["127.0.0.1:${port}"] }] }]`,
  );
  const server: ChildProcess = spawn(
    "prometheus",
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${own}`,
      "--log.level=error",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  ended.push(async () => {
    if (server.exitCode !== null) return;
    server.kill("SIGKILL");
    await once(server, "exit");
  });
  return {
    query: async (expression) => {
      const form = new URLSearchParams({ query: expression });
      const answer = await fetch(`http://127.0.0.1:${own}/api/v1/query`, { method: "POST", body: form });
      const { data } = (await answer.json()) as { data: { result: Array<Record<string, unknown>> } };
      return Object.fromEntries(
        data.result.map(({ metric, value, values }) => {
          const labels = Object.entries(metric as Record<string, string>)
            .filter(([name]) => !["__name__", "job", "instance"].includes(name))
            .map(([, label]) => label);
          const numbers = values as Array<[number, string]> | undefined;
          const [, single] = (value ?? []) as [number, string];
          return [labels.join(" "), numbers?.map(([, one]) => Number(one)) ?? Number(single)];
        }),
      );
    },
  };
}

const described = isInstalled ? describe : describe.skip;

described("a Prometheus server", () => {
  withEachClient((client) => {
    it(
      "has what was sent: good, invalid, refused, slow, failing and retried callbacks",
      async () => {
        const inbox = memoryInbox({ attempts: 2, backoffMs: 3_600_000 });
        const authenticate = { header: "X-Callback-Token", value: "secret" };
        const made = measured(client, { inbox, authenticate, handlerTimeoutMs: 50 });
        const { sms } = made;
        ended.push(closeServers, () => sms.close());
        const { url, port, scrape, stored } = await serve(made);
        const { query } = await prometheus(port);
        const finished = deferred();
        sms
          .keyword("GOOD", () => undefined)
          .keyword("SLOW", () => finished.promise)
          .keyword("FAIL", () => Promise.reject(new Error("down")))
          .keyword("RETRY", (_match, { attempt }) => (attempt === 1 ? Promise.reject(new Error("down")) : undefined))
          .on("unmatched", () => undefined)
          .on("error", () => undefined);
        let n = 0;
        const send = async (message: string, headers: Record<string, string> = TOKEN): Promise<number> => {
          const body = JSON.stringify(callback({ message, source: `9198700000${10 + n++}` }));
          return (await fetch(url, { method: "POST", body, headers })).status;
        };

        // The first sample is a zero.
        await scrape();
        for (let time = 0; time < 3; time++) {
          expect(await send("GOOD")).toBe(200);
          expect(await send("SLOW")).toBe(200);
          expect(await send("GOOD", {})).toBe(403);
          expect((await fetch(url, { method: "POST", body: "{", headers: TOKEN })).status).toBe(400);
          await scrape();
        }
        expect(await send("FAIL")).toBe(200);
        expect(await send("RETRY")).toBe(200);
        const twice = JSON.stringify(callback({ message: "twice" }));
        for (let time = 0; time < 2; time++) await fetch(url, { method: "POST", body: twice, headers: TOKEN });
        finished.resolve();
        await inbox.advance(3_600_000);
        await stored();

        expect(await query("up")).toEqual({ "": 1 });
        expect(await query("kaleyra_sms_callbacks_total > 0")).toEqual({
          "POST stored": 9,
          "POST duplicate": 1,
          "POST invalid": 3,
        });
        expect(await query("kaleyra_sms_invalid_total > 0")).toEqual({ "malformed-body": 3 });
        expect(await query("kaleyra_sms_unauthorized_total > 0")).toEqual({ missing: 3 });
        expect(await query("kaleyra_sms_busy_total > 0")).toEqual({});
        expect(await query("kaleyra_sms_keyword_matches_total")).toEqual({ text: 8, rest: 0, field: 0 });
        expect(await query("sum by (event, result) (kaleyra_sms_handler_duration_seconds_count)")).toEqual({
          "keyword ok": 3 + 3 + 1,
          "keyword timeout": 3,
          "keyword error": 2 + 1,
          "unmatched ok": 1,
          "error ok": 6,
        });
        expect(await query("kaleyra_sms_handler_failures_total > 0")).toEqual({
          "keyword false": 3 + 2,
          "keyword true": 1,
        });
        expect(await query("kaleyra_sms_dead_letters_total > 0")).toEqual({ attempts: 1 });
        expect(await query("kaleyra_sms_inbox_messages")).toEqual({ waiting: 0, running: 0, delayed: 0, dead: 1 });
        expect(await query("kaleyra_sms_inbox_errors_total > 0")).toEqual({});
        expect(await query("kaleyra_sms_inbox_store_duration_seconds_count")).toEqual({ "": 10 });
        expect(await query("kaleyra_sms_in_flight")).toEqual({ "": 0 });
        expect(await query("time() - kaleyra_sms_last_callback_timestamp_seconds < 60")).not.toEqual({});

        // Each series begins at 0, so that increase() sees the first event.
        const samples = await query('kaleyra_sms_invalid_total{code="malformed-body"}[5m]');
        const counted = samples["malformed-body"] as number[];
        expect(counted[0]).toBe(0);
        expect([...new Set(counted)]).toEqual([0, 1, 2, 3]);
        expect(await query('increase(kaleyra_sms_dead_letters_total{cause="attempts"}[5m]) > 0')).not.toEqual({});
        expect(await query("histogram_quantile(0.5, kaleyra_sms_inbox_store_duration_seconds_bucket) > 0")).not.toEqual(
          {},
        );
      },
      LIMIT,
    );
  });
});
