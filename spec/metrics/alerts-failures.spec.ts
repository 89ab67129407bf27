// docs/alerts.yaml: callbacks that are answered other than 2xx, and handlers that fail.

import { describe, it } from "@jest/globals";

import {
  always,
  between,
  describeWithPromtool,
  expectAnnotations,
  expectFiring,
  FAILED,
  from,
  HANDLED,
  INVALID,
  REFUSED,
  STORED,
  type Course,
} from "./promtool";

describeWithPromtool("KaleyraSmsNotStored", () => {
  const NOT_STORED = 'inbox_errors_total{operation="store"}';

  it("fires if a part of the callbacks is not stored for minutes, and is over with it", () => {
    const part = between(30, 60, 2);
    expectFiring([{ grows: { [STORED]: always(10), [FAILED]: part, [NOT_STORED]: part } }], {
      "30m": [],
      "35m": ["KaleyraSmsNotStored ticket"],
      "45m": ["KaleyraSmsNotStored page", "KaleyraSmsNotStored ticket"],
      "70m": ["KaleyraSmsNotStored ticket"],
      "80m": [],
    });
  });

  it("is a ticket only if it was over after a minute, as when another Redis takes over", () => {
    const part = between(30, 31, 10);
    expectFiring([{ grows: { [STORED]: always(10), [FAILED]: part, [NOT_STORED]: part } }], {
      "33m": ["KaleyraSmsNotStored ticket"],
      "40m": ["KaleyraSmsNotStored ticket"],
      "50m": [],
    });
  });

  it("is a ticket only if it is one callback in a hundred, or a single one of an app with few SMS", () => {
    expectFiring([{ grows: { [STORED]: always(100), [FAILED]: always(1), [NOT_STORED]: always(1) } }], {
      "1h": ["KaleyraSmsNotStored ticket"],
    });
    const one = between(30, 31, 1);
    expectFiring([{ grows: { [FAILED]: one, [NOT_STORED]: one } }], {
      "44m": ["KaleyraSmsNotStored ticket"],
      "50m": [],
      "1h": [],
    });
  });

  it("fires if an app with few SMS could store none of the last", () => {
    const few = from(30, 0.1);
    expectFiring([{ grows: { [STORED]: between(0, 30, 0.1), [FAILED]: few, [NOT_STORED]: few } }], {
      "45m": ["KaleyraSmsNotStored ticket"],
      "90m": ["KaleyraSmsNotStored page", "KaleyraSmsNotStored ticket"],
    });
  });
});

describeWithPromtool("KaleyraSmsFailing", () => {
  const runs = (result: string, event = "message"): string =>
    `handler_duration_seconds_count{event="${event}",result="${result}"}`;
  const failures = (final: boolean): string => `handler_failures_total{event="message",final="${final}"}`;
  const INBOX = { 'dead_letters_total{cause="attempts"}': always(0) };

  it.each(["error", "timeout"])("fires if the handlers of one event end with %s for minutes", (result) => {
    expectFiring(
      [
        {
          grows: {
            ...INBOX,
            [runs("ok")]: always(100),
            [runs("ok", "keyword")]: always(1),
            [runs(result, "keyword")]: from(30, 1),
          },
        },
      ],
      { "35m": [], "45m": ["KaleyraSmsFailing page"] },
    );
  });

  it("does not fire if a handler failed once and then succeeded, nor if one message failed in every attempt", () => {
    const times = (count: number): Course => between(30, 31, count);
    expectFiring(
      [{ grows: { ...INBOX, [runs("ok")]: always(1), [runs("error")]: times(1), [failures(false)]: times(1) } }],
      { "31m": [], "35m": [], "45m": [] },
    );
    expectFiring(
      [
        {
          grows: {
            ...INBOX,
            [runs("ok")]: always(0.2),
            [runs("error")]: times(5),
            [failures(false)]: times(4),
            [failures(true)]: times(1),
          },
        },
      ],
      { "31m": [], "36m": [], "45m": [] },
    );
  });

  it("does not take an app for one without an inbox while it is not scraped", () => {
    const once = between(28, 29, 1);
    const grows = { ...INBOX, [runs("ok")]: always(10), [runs("error")]: once, [failures(true)]: once };
    expectFiring(
      [
        { grows, down: [30, 33] },
        { instance: "b", down: [30, 33] },
      ],
      { "29m": [], "31m": [], "32m": [] },
    );
  });

  it("is a ticket if a handler failed once and there is no inbox", () => {
    expectFiring(
      [
        {
          grows: {
            [HANDLED]: always(1),
            [runs("ok")]: always(1),
            [runs("error")]: between(30, 31, 1),
            [failures(true)]: between(30, 31, 1),
          },
        },
      ],
      { "30m": [], "33m": ["KaleyraSmsFailing ticket"], "50m": [] },
    );
  });
});

describeWithPromtool("KaleyraSmsUnreadable", () => {
  const MALFORMED = 'invalid_total{code="malformed-body"}';

  it("fires if callbacks are invalid for minutes, and names the code in a ticket", () => {
    expectFiring([{ grows: { [HANDLED]: always(1), [INVALID]: from(30, 1), [MALFORMED]: from(30, 1) } }], {
      "32m": [],
      "36m": ["KaleyraSmsUnreadable ticket"],
      "50m": ["KaleyraSmsUnreadable page", "KaleyraSmsUnreadable ticket"],
    });
    expectAnnotations(
      [{ grows: { [HANDLED]: always(100), [INVALID]: between(30, 34, 1), [MALFORMED]: between(30, 34, 1) } }],
      "40m",
      "KaleyraSmsUnreadable",
      {
        labels: { job: "sms", code: "malformed-body", severity: "ticket" },
        annotations: {
          summary: "sms: some callbacks cannot be read (malformed-body)",
          description: "Callbacks that were invalid within 6h, with the code malformed-body: about 4.",
          runbook: "node_modules/express-kaleyra-sms/docs/operating.md#kaleyrasmsunreadable",
        },
      },
    );
  });

  it("does not fire if somebody tests the endpoint in the console twice", () => {
    const tests = between(30, 32, 1);
    expectFiring([{ grows: { [HANDLED]: always(0.1), [INVALID]: tests, 'invalid_total{code="schema"}': tests } }], {
      "33m": [],
      "50m": [],
    });
  });

  describe("KaleyraSmsIncompleteBodies", () => {
    const INCOMPLETE = 'invalid_total{code="body-incomplete"}';

    it("fires in its place if bodies do not arrive whole", () => {
      expectFiring([{ grows: { [HANDLED]: always(1), [INVALID]: from(30, 1), [INCOMPLETE]: from(30, 1) } }], {
        "35m": [],
        "60m": ["KaleyraSmsIncompleteBodies ticket"],
      });
    });

    it("does not fire at single ones among many", () => {
      expectFiring([{ grows: { [HANDLED]: always(100), [INVALID]: always(0.2), [INCOMPLETE]: always(0.2) } }], {
        "2h": [],
      });
    });
  });
});

describeWithPromtool("KaleyraSmsBusy", () => {
  const busy = (reason: string): string => `busy_total{reason="${reason}"}`;

  it("fires if a part of the callbacks finds no place for minutes", () => {
    expectFiring([{ grows: { [HANDLED]: always(10), [REFUSED]: from(30, 1), [busy("capacity")]: from(30, 1) } }], {
      "30m": [],
      "33m": ["KaleyraSmsBusy ticket"],
      "40m": ["KaleyraSmsBusy page", "KaleyraSmsBusy ticket"],
    });
  });

  it("is a ticket only if it was a peak of a minute, or the flood of one number", () => {
    expectFiring(
      [{ grows: { [HANDLED]: always(10), [REFUSED]: between(30, 31, 3), [busy("capacity")]: between(30, 31, 3) } }],
      { "34m": ["KaleyraSmsBusy ticket"], "38m": ["KaleyraSmsBusy ticket"], "50m": [] },
    );
    expectFiring([{ grows: { [HANDLED]: always(10), [REFUSED]: from(30, 50), [busy("source")]: from(30, 50) } }], {
      "45m": ["KaleyraSmsBusy ticket"],
    });
  });

  it("does not fire at a rolling update, in which each process is closing for a minute", () => {
    const old = (instance: string, to: number) => ({
      instance,
      to,
      grows: { [HANDLED]: always(10), [REFUSED]: between(to - 2, to, 10), [busy("closing")]: between(to - 2, to, 10) },
    });
    const young = (instance: string, start: number) => ({ instance, from: start, grows: { [HANDLED]: always(10) } });
    expectFiring([old("a", 30), young("c", 28), old("b", 34), young("d", 32)], {
      "29m": [],
      "31m": [],
      "34m": [],
      "40m": [],
      "50m": [],
    });
  });
});
