// docs/alerts.yaml: no SMS for longer than usual, and callers that are refused. Both compare with the two weeks before,
// which are two days here: see promtool.ts.

import { it } from "@jest/globals";

import { BY_DAYS, describeWithPromtool, expectFiring, HANDLED, type Course } from "./promtool";

const HOUR = 60;
const DAY = 24 * HOUR;

/** A day with SMS from 8 to 20 o'clock only: so many in a minute. */
const open = (perMinute: number): Course => [
  [8 * HOUR, 0],
  [12 * HOUR, perMinute],
  [4 * HOUR, 0],
];
/** What came before, which is usual. The day after it is 2d. */
const usual = (perMinute: number): Course => [...open(perMinute), ...open(perMinute)];
/** And on the next day SMS stop at noon. */
const untilNoon = (perMinute: number): Course => [...usual(perMinute), [8 * HOUR, 0], [4 * HOUR, perMinute], [DAY, 0]];
const NOON = 2 * DAY + 12 * HOUR;

describeWithPromtool("KaleyraSmsSilence", () => {
  it("fires if SMS that come at this time of the week stop", () => {
    expectFiring(
      [{ grows: { [HANDLED]: untilNoon(1) } }],
      { "2d12h": [], "2d12h15m": [], "2d12h30m": ["KaleyraSmsSilence page"], "2d14h": ["KaleyraSmsSilence page"] },
      BY_DAYS,
    );
  });

  it("does not fire during a night in which usually nobody sends anything", () => {
    expectFiring(
      [{ grows: { [HANDLED]: [...usual(1), ...usual(1)] } }],
      { "2d2h": [], "2d7h45m": [], "2d8h": [], "2d20h30m": [], "2d23h": [], "3d3h": [] },
      BY_DAYS,
    );
  });

  it("does not fire if the day begins an hour later, as when clocks change", () => {
    const today: Course = [
      [9 * HOUR, 0],
      [DAY, 1],
    ];
    expectFiring([{ grows: { [HANDLED]: [...usual(1), ...today] } }], { "2d8h30m": [], "2d9h": [] }, BY_DAYS);
  });

  it.each<[week: string, before: Course]>([
    ["the last week", [...open(0.02), ...open(5)]],
    ["the week before it", [...open(5), ...open(0.02)]],
  ])("does not fire if what came in %s alone does not come again, as after a campaign", (_week, before) => {
    expectFiring([{ grows: { [HANDLED]: [...before, [DAY, 0]] } }], { "2d12h30m": [], "2d16h": [] }, BY_DAYS);
  });

  it("fires if none of several processes gets what they usually get together", () => {
    const processes = ["a", "b", "c"].map((instance) => ({ instance, grows: { [HANDLED]: untilNoon(0.25) } }));
    expectFiring(processes, { "2d12h": [], "2d12h45m": ["KaleyraSmsSilence page"] }, BY_DAYS);
  });

  it("fires after two hours if there are few SMS", () => {
    expectFiring(
      [{ grows: { [HANDLED]: untilNoon(0.1) } }],
      { "2d13h": [], "2d13h45m": [], "2d14h30m": ["KaleyraSmsSilence page"] },
      BY_DAYS,
    );
  });

  it("fires on the next day if there are very few, as a ticket", () => {
    expectFiring(
      [{ grows: { [HANDLED]: untilNoon(0.01) } }],
      { "2d19h": [], "3d8h": [], "3d13h": ["KaleyraSmsSilence ticket"] },
      BY_DAYS,
    );
  });

  it.each<[what: string, after: Course, then: string[]]>([
    ["does not fire at a rolling update", [...usual(1), ...usual(1)], []],
    ["fires at a rolling update after which nothing arrives", [[3 * DAY, 0]], ["KaleyraSmsSilence page"]],
  ])("%s", (_what, after, then) => {
    expectFiring(
      [
        { instance: "old", grows: { [HANDLED]: [...usual(1), ...usual(1)] }, to: NOON },
        { instance: "new", grows: { [HANDLED]: after }, from: NOON },
      ],
      { "2d12h15m": [], "2d12h30m": then, "2d12h45m": then },
      BY_DAYS,
    );
  });

  it("does not fire if one of two processes gets all SMS", () => {
    expectFiring(
      [{ grows: { [HANDLED]: [...usual(1), ...usual(1)] } }, { instance: "b", grows: { [HANDLED]: untilNoon(1) } }],
      { "2d12h45m": [], "2d15h": [] },
      BY_DAYS,
    );
  });

  it("does not fire while nothing is scraped, which is another alert, nor after it", () => {
    expectFiring(
      [{ grows: { [HANDLED]: [...usual(1), ...usual(1)] }, down: [NOON, NOON + 40] }],
      { "2d12h30m": ["KaleyraSmsDown page", "KaleyraSmsDown ticket"], "2d12h45m": [], "2d13h": [] },
      BY_DAYS,
    );
  });

  it("does not fire if SMS come and fail, nor for the job of the workers", () => {
    const failed = 'callbacks_total{method="POST",outcome="failed"}';
    expectFiring(
      [
        { grows: { [HANDLED]: untilNoon(1), [failed]: [[NOON, 0], [DAY, 1]] } }, // prettier-ignore
        { job: "workers", grows: { [HANDLED]: [[DAY, 0]] } },
      ],
      { "2d12h45m": [], "2d15h": [] },
      BY_DAYS,
    );
  });

  it("fires for the job that is silent, and no other", () => {
    expectFiring(
      [{ grows: { [HANDLED]: [...usual(1), ...usual(1)] } }, { job: "other", grows: { [HANDLED]: untilNoon(1) } }],
      { "2d12h45m": ["KaleyraSmsSilence page other"] },
      BY_DAYS,
    );
  });
});

const MISSING = 'unauthorized_total{code="missing"}';
const WRONG = 'unauthorized_total{code="wrong"}';

describeWithPromtool("KaleyraSmsRefused", () => {
  const fromNoon = (perMinute: number): Course => [
    [NOON, 0],
    [DAY, perMinute],
  ];

  it("fires if all are refused at a time at which SMS usually come", () => {
    expectFiring(
      [{ grows: { [HANDLED]: untilNoon(1), [WRONG]: fromNoon(1) } }],
      { "2d12h": [], "2d12h30m": ["KaleyraSmsRefused page", "KaleyraSmsSilence page"] },
      BY_DAYS,
    );
  });

  it("fires after two hours if there are few SMS", () => {
    expectFiring(
      [{ grows: { [HANDLED]: untilNoon(0.1), [MISSING]: fromNoon(0.1) } }],
      { "2d13h45m": [], "2d14h30m": ["KaleyraSmsRefused page", "KaleyraSmsSilence page"] },
      BY_DAYS,
    );
  });

  it("does not fire at a scan by strangers, by night or by day", () => {
    const scans: Course = [
      [2 * DAY + 2 * HOUR, 0],
      [60, 100],
      [9 * HOUR, 0],
      [60, 100],
      [DAY, 0],
    ];
    expectFiring(
      [
        { grows: { [HANDLED]: [...usual(1), ...usual(1)], [MISSING]: scans, [WRONG]: scans } },
        { instance: "b", grows: { [MISSING]: scans, [WRONG]: scans } },
      ],
      { "2d2h30m": [], "2d3h": [], "2d12h30m": [], "2d13h": [], "2d14h": [] },
      BY_DAYS,
    );
  });

  it("does not fire if only a few strangers call while nothing comes: that is a silence", () => {
    expectFiring(
      [{ grows: { [HANDLED]: untilNoon(1), [MISSING]: [[3 * DAY, 0.2]] } }],
      { "2d12h15m": [], "2d12h45m": ["KaleyraSmsSilence page"] },
      BY_DAYS,
    );
  });

  it.each([
    ["is a ticket if one of several callers has had a wrong secret for hours", WRONG, ["KaleyraSmsRefused ticket"]],
    ["does not fire at strangers that call without a secret for hours", MISSING, []],
  ])("%s", (_what, code, then) => {
    const since: Course = [
      [2 * HOUR, 0],
      [DAY, 0.1],
    ];
    expectFiring([{ grows: { [HANDLED]: [[DAY, 10]], [code]: since } }], { "3h": [], "5h": [], "6h": then }, BY_DAYS);
  });
});
