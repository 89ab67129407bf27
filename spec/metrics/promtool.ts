// Runs the alert rules of docs/ with Prometheus's own promtool, on metrics over time that a spec makes up.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "@jest/globals";

import { temporaryFolder } from "../inbox/temporary";

const RULES = readFileSync(join(__dirname, "..", "..", "docs", "alerts.yaml"), "utf8");
/**
 * The rules with a day in place of a week, since promtool evaluates every rule over all the time before. So "the same
 * time of the last two weeks" is that of the last two days.
 */
const WITH_SHORT_WEEKS = RULES.replaceAll("offset 167h", "offset 23h")
  .replaceAll("offset 335h", "offset 47h")
  .replaceAll("offset 1w", "offset 1d")
  .replaceAll("offset 2w", "offset 2d");

/**
 * `[for so many minutes, a value]`, one after the other. `undefined`: no value, as of a process that is not scraped.
 */
export type Course = ReadonlyArray<readonly [minutes: number, value: number | undefined]>;

const DAY = 24 * 60;
export const always = (value: number): Course => [[DAY, value]];
/** 0 before. */
export const from = (minute: number, value: number): Course => [
  [minute, 0],
  [DAY, value],
];
/** 0 before and after. */
export const between = (start: number, end: number, value: number): Course => [
  [start, 0],
  [end - start, value],
  [DAY, 0],
];

export interface Process {
  /** Default: `sms`. */
  readonly job?: string;
  /** Default: `a`. */
  readonly instance?: string;
  /** By series, for instance `busy_total{reason="source"}`: how much it grows in each minute. It begins with 0. */
  readonly grows?: Readonly<Record<string, Course>>;
  /** By series: its value. */
  readonly is?: Readonly<Record<string, Course>>;
  /** When it is scraped without success, in minutes. Then `up` is 0, and nothing else is there. */
  readonly down?: readonly [from: number, to: number];
  /** When it begins, in minutes. It is a new process: its counters begin with 0. Before, it is not there. */
  readonly from?: number;
  /** When it ends, in minutes: from then on it is no longer there. */
  readonly to?: number;
  /** Whether it is no process of this package: it lacks what each of ours has. */
  readonly isOther?: boolean;
}

/** When to look, and which alerts fire then: `name severity`, all of them. */
export type Firing = Readonly<Record<string, readonly string[]>>;

/** How many minutes are between two scrapes, and between two evaluations of the rules. */
interface Pace {
  readonly scrape: number;
  readonly evaluation: number;
}
const BY_MINUTES: Pace = { scrape: 1, evaluation: 1 };
/** For days: promtool takes milliseconds for each evaluation. */
export const BY_DAYS: Pace = { scrape: 5, evaluation: 15 };

/** What a valid callback counts. Makes `last_callback_timestamp_seconds` as well. */
export const HANDLED = 'callbacks_total{method="POST",outcome="handled"}';
export const STORED = 'callbacks_total{method="POST",outcome="stored"}';
export const FAILED = 'callbacks_total{method="POST",outcome="failed"}';
export const INVALID = 'callbacks_total{method="POST",outcome="invalid"}';
export const REFUSED = 'callbacks_total{method="POST",outcome="busy"}';

/** Expects exactly these alerts to fire, at each of these times. */
export function expectFiring(processes: readonly Process[], firing: Firing, pace = BY_MINUTES): void {
  const last = Math.max(...Object.keys(firing).map(minutesOf));
  const test = {
    interval: `${pace.scrape}m`,
    input_series: processes.flatMap((process) => seriesOf(process, last, pace.scrape)),
    promql_expr_test: Object.entries(firing).map(([time, alerts]) => ({
      expr: 'group by (alertname, severity, job) (ALERTS{alertstate="firing"})',
      eval_time: `${minutesOf(time)}m`,
      exp_samples: alerts.map((alert) => {
        const [alertname, severity, job = "sms"] = alert.split(" ");
        return { labels: `{alertname="${alertname}", severity="${severity}", job="${job}"}`, value: 1 };
      }),
    })),
  };
  expect(tested(test, pace)).toBe("");
}

/** Expects an alert to fire with these annotations, and prints what it has instead. */
export function expectAnnotations(
  processes: readonly Process[],
  time: string,
  alertname: string,
  expected: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  },
): void {
  const test = {
    interval: "1m",
    input_series: processes.flatMap((process) => seriesOf(process, minutesOf(time), 1)),
    alert_rule_test: [
      {
        eval_time: time,
        alertname,
        exp_alerts: [{ exp_labels: expected.labels, exp_annotations: expected.annotations }],
      },
    ],
  };
  expect(tested(test, BY_MINUTES)).toBe("");
}

/** Minutes of `1d2h3m`. */
function minutesOf(time: string): number {
  const [, days = 0, hours = 0, minutes = 0] = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?$/.exec(time) ?? [];
  return (Number(days) * 24 + Number(hours)) * 60 + Number(minutes);
}

function seriesOf(process: Process, last: number, every: number): Array<{ series: string; values: string }> {
  const {
    job = "sms",
    instance = "a",
    grows = {},
    is = {},
    from: start = 0,
    to = Infinity,
    down = [0, 0],
    isOther = false,
  } = process;
  const times = Array.from({ length: Math.floor(last / every) + 1 }, (_, step) => step * every);
  const isDown = (minute: number): boolean => minute >= down[0] && minute < down[1];
  const isThere = (minute: number): boolean => minute >= start && minute < to;
  // A series that is no longer there is marked stale at once, as in a scrape that lacks it.
  const series = (name: string, valueAt: (minute: number) => number | undefined, whileDown = false) => {
    const labels = `job="${job}",instance="${instance}"`;
    const values = times.map((minute) => {
      const value = isThere(minute) && (whileDown || !isDown(minute)) ? valueAt(minute) : undefined;
      return value ?? (minute > start ? "stale" : "_");
    });
    const full = name.includes("{") ? name.replace("{", `{${labels},`) : `${name}{${labels}}`;
    return { series: /^(?:up|process_)/.test(full) ? full : `kaleyra_sms_${full}`, values: values.join(" ") };
  };
  const callbacks = Object.entries(grows).filter(([name]) =>
    /outcome="(?:handled|stored|duplicate|failed)"/.test(name),
  );
  const lastCallback = (minute: number): number | undefined => {
    const latest = Math.max(...callbacks.map(([, course]) => lastGrowth(course, start, minute)));
    return latest === -Infinity ? undefined : latest * 60;
  };
  return [
    series("up", (minute) => (isDown(minute) ? 0 : 1), true),
    ...(isOther ? [] : [series("in_flight", () => 0)]),
    ...(callbacks.length === 0 ? [] : [series("last_callback_timestamp_seconds", lastCallback)]),
    ...Object.entries(grows).map(([name, course]) => series(name, (minute) => grownTo(course, start, minute))),
    ...Object.entries(is).map(([name, course]) => series(name, (minute) => valueAt(course, minute))),
  ];
}

/** How much was added from the beginning to a minute. */
function grownTo(course: Course, since: number, minute: number): number {
  let start = 0;
  let sum = 0;
  for (const [minutes, perMinute = 0] of course) {
    sum += Math.max(0, Math.min(minute, start + minutes) - Math.max(since, start)) * perMinute;
    start += minutes;
  }
  return Math.floor(sum + 1e-9);
}

/** The last minute, up to this one, in which something was added. */
function lastGrowth(course: Course, since: number, minute: number): number {
  let [start, latest] = [0, -Infinity];
  for (const [minutes, perMinute = 0] of course) {
    const end = Math.min(minute, start + minutes);
    if (perMinute > 0 && end > Math.max(since, start)) latest = end;
    start += minutes;
  }
  if (latest === -Infinity || grownTo(course, since, latest) === 0) return -Infinity;
  while (latest > since && grownTo(course, since, latest - 1) === grownTo(course, since, latest)) latest--;
  return latest;
}

function valueAt(course: Course, minute: number): number | undefined {
  let end = 0;
  for (const [minutes, value] of course) {
    end += minutes;
    if (minute < end) return value;
  }
  return course.at(-1)?.[1];
}

/** What promtool says against a test: nothing if it holds. */
function tested(test: object, { evaluation }: Pace): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "rules.yaml"), WITH_SHORT_WEEKS);
  // JSON is YAML.
  const tests = { rule_files: ["rules.yaml"], evaluation_interval: `${evaluation}m`, tests: [test] };
  writeFileSync(join(folder, "test.yaml"), JSON.stringify(tests));
  const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", join(folder, "test.yaml")], {
    encoding: "utf8",
  });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

/** Declares specs that need promtool. If it is not installed, it throws in CI; elsewhere the specs are skipped. */
export function describeWithPromtool(name: string, specs: () => void): void {
  if (isInstalled()) describe(name, specs);
  else describe.skip(`${name}: skipped, promtool is not installed`, specs);
}

function isInstalled(): boolean {
  try {
    execFileSync("promtool", ["--version"], { stdio: "ignore" });
    return true;
  } catch (cause) {
    if (process.env.CI === "true") throw new Error("CI needs promtool: apt-get install prometheus", { cause });
    console.warn("Specs are skipped: promtool is not installed.");
    return false;
  }
}
