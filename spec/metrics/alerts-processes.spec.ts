// docs/alerts.yaml: processes that end again and again, or do not answer.

import { it } from "@jest/globals";

import { between, describeWithPromtool, expectFiring, type Course } from "./promtool";

const DAY = 24 * 60;

describeWithPromtool("KaleyraSmsCrashing", () => {
  /** The instants at which an instance was started. */
  const started = (...minutes: number[]): { readonly is: Readonly<Record<string, Course>> } => {
    const course = minutes.map((minute, index): Course[number] => [(minutes[index + 1] ?? DAY) - minute, minute * 60]);
    return { is: { process_start_time_seconds: course } };
  };

  it("fires if one instance was started several times within half an hour", () => {
    expectFiring([{ ...started(0, 30, 33, 37) }, { instance: "b", ...started(0) }], {
      "30m": [],
      "34m": [],
      "38m": ["KaleyraSmsCrashing page"],
      "70m": [],
    });
  });

  it("does not fire if each of several was started once, nor for another app of the same machine", () => {
    expectFiring([{ ...started(0, 30) }, { instance: "b", ...started(0, 31) }, { instance: "c", ...started(0, 32) }], {
      "32m": [],
      "40m": [],
    });
    expectFiring([started(0), { job: "other", instance: "a", isOther: true, ...started(0, 30, 33, 37) }], {
      "38m": [],
      "45m": [],
    });
  });

  it("is a ticket if a message ended its process in each attempt", () => {
    expectFiring([{ grows: { 'dead_letters_total{cause="cut-short"}': between(30, 31, 1) } }], {
      "30m": [],
      "32m": ["KaleyraSmsCrashing ticket"],
      "100m": [],
    });
  });
});

describeWithPromtool("KaleyraSmsDown", () => {
  it("fires if no process answers, whether it is still looked for or not", () => {
    expectFiring([{ down: [30, 60] }], {
      "32m": [],
      "36m": ["KaleyraSmsDown page"],
      "45m": ["KaleyraSmsDown page", "KaleyraSmsDown ticket"],
      "61m": [],
    });
    expectFiring([{ to: 30 }, { instance: "b", to: 30 }], { "32m": [], "36m": ["KaleyraSmsDown page"] });
  });

  it("is a ticket if one of several does not answer", () => {
    expectFiring([{ down: [30, 60] }, { instance: "b" }], { "35m": [], "45m": ["KaleyraSmsDown ticket"], "61m": [] });
  });

  it("does not fire at a rolling update, a missed scrape, nor for another app", () => {
    expectFiring([{ to: 30 }, { instance: "b", from: 29 }], { "31m": [], "40m": [] });
    expectFiring([{ down: [30, 32] }], { "31m": [], "33m": [], "40m": [] });
    expectFiring([{}, { job: "other", isOther: true, down: [30, 90] }], { "60m": [] });
  });
});
