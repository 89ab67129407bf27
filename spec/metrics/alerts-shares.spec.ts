// docs/alerts.yaml: what counts is all processes of a job together, since a load balancer spreads what comes.

import { it } from "@jest/globals";

import {
  always,
  between,
  describeWithPromtool,
  expectFiring,
  FAILED,
  HANDLED,
  INVALID,
  REFUSED,
  STORED,
  type Process,
} from "./promtool";

const NOT_STORED = 'inbox_errors_total{operation="store"}';
const runs = (result: string): string => `handler_duration_seconds_count{event="message",result="${result}"}`;
const invalid = (code: string): string => `invalid_total{code="${code}"}`;

/** Three processes that count the same. */
const three = (grows: Process["grows"] = {}): Process[] => ["a", "b", "c"].map((instance) => ({ instance, grows }));

describeWithPromtool("a share of the callbacks", () => {
  it.each<[alert: string, share: number, well: string, failed: string[], before: string[]]>([
    ["KaleyraSmsNotStored page", 0.05, STORED, [FAILED, NOT_STORED], ["KaleyraSmsNotStored ticket"]],
    ["KaleyraSmsBusy page", 0.05, HANDLED, [REFUSED, 'busy_total{reason="capacity"}'], ["KaleyraSmsBusy ticket"]],
    ["KaleyraSmsUnreadable page", 0.25, HANDLED, [INVALID, invalid("schema")], ["KaleyraSmsUnreadable ticket"]],
    ["KaleyraSmsIncompleteBodies ticket", 0.01, HANDLED, [INVALID, invalid("body-incomplete")], []],
    ["KaleyraSmsFailing page", 0.25, runs("ok"), [runs("error")], []],
  ])("%s fires above %d of all processes", (alert, share, well, failed, before) => {
    const sharing = (times: number): Process[] => {
      const fails = Math.round(share * times * 1_000);
      return three({
        [well]: always(1_000 - fails),
        ...Object.fromEntries(failed.map((name) => [name, always(fails)])),
      });
    };
    expectFiring(sharing(0.8), { "1h": before });
    expectFiring(sharing(1.2), { "1h": [...before, alert] });
  });
});

describeWithPromtool("a number of callbacks", () => {
  it.each<[alert: string, well: string, failed: string[]]>([
    ["KaleyraSmsUnreadable ticket", HANDLED, [INVALID, invalid("schema")]],
    ["KaleyraSmsIncompleteBodies ticket", HANDLED, [INVALID, invalid("body-incomplete")]],
  ])("%s fires if each of three processes had one", (alert, well, failed) => {
    const once = Object.fromEntries(failed.map((name) => [name, between(50, 51, 1)]));
    expectFiring(three({ [well]: always(1), ...once }), { "45m": [], "70m": [alert] });
  });

  it("KaleyraSmsNotStored fires if each of three processes had one, and none was stored", () => {
    const once = between(30, 31, 1);
    expectFiring(three({ [FAILED]: once, [NOT_STORED]: once }), {
      "50m": ["KaleyraSmsNotStored page"],
      "70m": [],
    });
  });
});
