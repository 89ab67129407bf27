// docs/alerts.yaml as a whole: what its rules name exists, and docs/operating.md says what to do for each alert.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { memoryInbox, settled } from "express-kaleyra-sms/testing";
import * as promClient from "prom-client";
import { parse } from "yaml";

import { callback } from "../support/callbacks";
import { measured } from "./clients";
import { EVENTS, INVALID, OUTCOMES, UNAUTHORIZED } from "./labels";
import { describeWithPromtool } from "./promtool";

const DOCS = join(__dirname, "..", "..", "docs");
const FILE = join(DOCS, "alerts.yaml");
const PAGE = readFileSync(join(DOCS, "operating.md"), "utf8");

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const { groups } = parse(readFileSync(FILE, "utf8")) as { groups: Array<{ rules: Rule[] }> };
const RULES = groups.flatMap(({ rules }) => rules);

/** What the package and its Prometheus client give: for each metric its labels, and for each label its values. */
const METRICS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  kaleyra_sms_callbacks_total: { method: ["GET", "POST"], outcome: OUTCOMES },
  kaleyra_sms_invalid_total: { code: INVALID },
  kaleyra_sms_unauthorized_total: { code: UNAUTHORIZED },
  kaleyra_sms_busy_total: { reason: ["capacity", "source", "closing"] },
  kaleyra_sms_in_flight: {},
  kaleyra_sms_last_callback_timestamp_seconds: {},
  kaleyra_sms_handler_duration_seconds_count: { event: EVENTS, result: ["ok", "error", "timeout"] },
  kaleyra_sms_handler_failures_total: { event: EVENTS, final: ["true", "false"] },
  kaleyra_sms_inbox_messages: { state: ["waiting", "running", "delayed", "dead"] },
  kaleyra_sms_inbox_oldest_waiting_seconds: {},
  kaleyra_sms_inbox_errors_total: { operation: ["store", "take", "end", "read"] },
  kaleyra_sms_dead_letters_total: { cause: ["attempts", "cut-short", "unreadable"] },
  process_start_time_seconds: {},
  up: {},
};
/** The labels of a target, of which only `job` and `instance` are always there. */
const TARGET = ["cluster", "namespace", "job", "instance"];

/** The selectors of an expression: the name of a metric, and its matchers. */
function selectorsOf(expr: string): Array<{ metric: string; matchers: Array<{ label: string; values: string[] }> }> {
  return Array.from(
    expr.matchAll(/\b(kaleyra_sms_\w+|process_\w+|up)\b(?:\{([^}]*)\})?/g),
    ([, metric = "", given = ""]) => ({
      metric,
      matchers: Array.from(given.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g), ([, label = "", values = ""]) => ({
        label,
        values: values.split("|"),
      })),
    }),
  );
}

/** The labels by which an expression groups, and on which it matches. */
function groupedBy(expr: string): string[] {
  return Array.from(expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g), ([, names = ""]) => names.split(", ")).flat();
}

describe("the alert rules", () => {
  it("name no metric, label or value that does not exist", () => {
    for (const { expr } of RULES) {
      const selectors = selectorsOf(expr);
      expect(selectors).not.toEqual([]);
      for (const { metric, matchers } of selectors) {
        expect(Object.keys(METRICS)).toContain(metric);
        for (const { label, values } of matchers)
          expect(METRICS[metric]?.[label]).toEqual(expect.arrayContaining(values));
      }
      const known = [...TARGET, ...selectors.flatMap(({ metric }) => Object.keys(METRICS[metric] ?? {}))];
      expect(known).toEqual(expect.arrayContaining(groupedBy(expr)));
    }
  });

  it("name what a scrape has, but for values that a duration has only once it was measured", async () => {
    const { sms, samples } = measured(promClient, { inbox: memoryInbox() });
    sms.on("message", () => undefined);
    await sms.receive({ method: "POST", body: callback() });
    await settled(sms);
    const scraped = Object.keys(await samples("")).flatMap(selectorsOf);
    await sms.close();
    for (const [metric, labels] of Object.entries(METRICS)) {
      if (!metric.startsWith("kaleyra_sms_")) continue;
      const series = scraped.filter((one) => one.metric === metric);
      expect(series).not.toEqual([]);
      const matchers = series.flatMap((one) => one.matchers);
      expect(new Set(matchers.map(({ label }) => label))).toEqual(new Set(Object.keys(labels)));
      for (const [name, values] of Object.entries(labels)) {
        const found = matchers.filter(({ label }) => label === name).flatMap((matcher) => matcher.values);
        if (metric.endsWith("_count")) expect(values).toEqual(expect.arrayContaining(found));
        else expect(new Set(found)).toEqual(new Set(values));
      }
    }
  });

  it("have no job, instance or address of anybody in them", () => {
    for (const { expr, labels } of RULES) {
      expect(expr).not.toMatch(/\b(?:job|instance|cluster|namespace)(?:=|!)/);
      expect(Object.keys(labels).filter((label) => TARGET.includes(label))).toEqual([]);
      // Each job is looked at by itself.
      for (const [, labelsOfGroup] of expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g))
        expect(labelsOfGroup).toMatch(/^cluster, namespace, job/);
    }
  });

  it("say how urgent they are, and show a value and closed labels only", () => {
    for (const { expr, labels, annotations } of RULES) {
      expect(["page", "ticket"]).toContain(labels.severity);
      expect(Object.keys(annotations)).toEqual(["summary", "description", "runbook"]);
      const text = Object.values(annotations).join("\n");
      const templates = Array.from(text.matchAll(/\{\{ (.*?) \}\}/g), ([, template = ""]) => template);
      expect(text.replaceAll(/\{\{ .*? \}\}/g, "")).not.toMatch(/[{}]/);
      for (const template of templates) {
        const [, label] = /^\$labels\.(\w+)$/.exec(template) ?? [];
        if (label === undefined)
          expect(template).toMatch(/^(?:printf "%\.0f" \$value|\$value \| humanize(?:Percentage|Duration))$/);
        else expect([...groupedBy(expr), ...Object.keys(labels)]).toContain(label);
      }
    }
  });

  it("are listed in docs/operating.md each, with a link to their heading, and so is no other alert", () => {
    const listed = Array.from(PAGE.matchAll(/^\| \[(KaleyraSms\w+)\]\(#([\w-]+)\)/gm), ([, name = "", to = ""]) => [
      name,
      to,
    ]);
    const anchors = new Map(listed.map(([name = "", to = ""]) => [name, to]));
    const names = new Set(RULES.map(({ alert }) => alert));
    expect(listed.map(([name]) => name).toSorted()).toEqual([...names].toSorted());
    const headings = Array.from(PAGE.matchAll(/^#+ (.+)$/gm), ([, heading = ""]) =>
      heading.toLowerCase().replaceAll(" ", "-"),
    );
    for (const { alert, annotations } of RULES) {
      const anchor = anchors.get(alert) ?? "";
      expect(headings).toContain(anchor);
      expect(annotations.runbook).toBe(`node_modules/express-kaleyra-sms/docs/operating.md#${anchor}`);
      // What stands under another heading than its own is named there.
      const [, section = ""] = PAGE.split(new RegExp(`^## (?=${headingOf(anchor)}$)`, "m"));
      expect(section.split(/^## /m)[0]).toContain(alert);
    }
    // Nor does the text name one that is gone.
    for (const [name] of PAGE.matchAll(/KaleyraSms\w+/g)) expect(names).toContain(name);
  });
});

/** The heading of the page to which an anchor leads. */
function headingOf(anchor: string): string {
  const [, heading = ""] = new RegExp(`^## (${anchor.replaceAll("-", " ")})$`, "im").exec(PAGE) ?? [];
  return heading;
}

describe("docs/monitoring.md", () => {
  it("has a snippet by which a worker is scraped, with all that the rules need", () => {
    const page = readFileSync(join(DOCS, "monitoring.md"), "utf8");
    const [, snippet = ""] = /^```js\n(import [^]*?)^```$/m.exec(page) ?? [];
    const code = `
      import { incomingSms } from "express-kaleyra-sms";
      const sms = incomingSms({ authenticate: false });
      ${snippet.replace("9464", '0, "127.0.0.1"')}
      server.once("listening", async () => {
        const response = await fetch("http://127.0.0.1:" + server.address().port);
        console.log(await response.text());
        server.close();
      });`;
    const args = ["--no-warnings", "--input-type=module", "-e", code];
    const scraped = execFileSync(process.execPath, args, { cwd: join(DOCS, ".."), encoding: "utf8" });
    for (const metric of ["process_start_time_seconds", "kaleyra_sms_in_flight"])
      expect(scraped).toMatch(new RegExp(`^${metric} \\d`, "m"));
  });
});

describeWithPromtool("promtool", () => {
  it("finds no fault in the rules", () => {
    const checked = execFileSync("promtool", ["check", "rules", "--lint-fatal", FILE], { encoding: "utf8" });
    expect(checked).toContain(`SUCCESS: ${RULES.length} rules found`);
  });
});
