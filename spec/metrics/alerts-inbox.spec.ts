// docs/alerts.yaml: an inbox that fails, what waits in it, and dead letters. Its gauges are the same in each process.

import { it } from "@jest/globals";

import {
  always,
  between,
  describeWithPromtool,
  expectFiring,
  from,
  HANDLED,
  STORED,
  type Course,
  type Process,
} from "./promtool";

const DAY = 24 * 60;

const OLDEST = "inbox_oldest_waiting_seconds";
const messages = (state: string): string => `inbox_messages{state="${state}"}`;
/** The gauges of an inbox, empty but for what is given. */
const inbox = (holds: Readonly<Record<string, Course>> = {}): Readonly<Record<string, Course>> => ({
  [OLDEST]: always(0),
  ...Object.fromEntries(["waiting", "running", "delayed", "dead"].map((state) => [messages(state), always(0)])),
  ...Object.fromEntries(
    Object.entries(holds).map(([name, course]) => [name === OLDEST ? name : messages(name), course]),
  ),
});
const ENDED = 'handler_duration_seconds_count{event="message",result="ok"}';
const works = (perMinute: number) => ({ [STORED]: always(perMinute), [ENDED]: always(perMinute) });

describeWithPromtool("KaleyraSmsInboxFailing", () => {
  const errors = (operation: string): string => `inbox_errors_total{operation="${operation}"}`;

  it("fires if a process cannot reach the inbox, though another can and nothing comes", () => {
    const gone = Object.fromEntries(
      Object.keys(inbox()).map((name): [string, Course] => [
        name,
        [
          [30, 0],
          [DAY, undefined],
        ],
      ]),
    );
    expectFiring(
      [
        {
          is: gone,
          grows: {
            [errors("read")]: [
              [30, 0],
              [DAY, 1],
            ],
          },
        },
        { instance: "b", is: inbox() },
      ],
      { "30m": [], "35m": [], "45m": ["KaleyraSmsInboxFailing page"] },
    );
  });

  it("does not fire if the inbox was away for two minutes, or if single reads fail", () => {
    const away = Object.fromEntries(
      Object.keys(inbox()).map((name): [string, Course] => [
        name,
        [
          [30, 0],
          [2, undefined],
          [DAY, 0],
        ],
      ]),
    );
    expectFiring([{ is: away, grows: { [errors("read")]: between(30, 32, 1) } }], { "32m": [], "36m": [], "45m": [] });
    expectFiring([{ is: inbox(), grows: { [errors("read")]: always(0.5) } }], { "2h": [] });
  });

  it.each(["take", "end"])("fires if %s fails for minutes, though the inbox can be read", (operation) => {
    expectFiring([{ is: inbox(), grows: { [STORED]: always(1), [errors(operation)]: from(30, 5) } }], {
      "35m": [],
      "45m": ["KaleyraSmsInboxFailing page"],
    });
    expectFiring([{ is: inbox(), grows: { [errors(operation)]: between(30, 32, 5) } }], { "36m": [], "45m": [] });
  });
});

describeWithPromtool("KaleyraSmsBacklog", () => {
  /** From minute 30 on: one more second and so many more messages each minute. */
  const growing = (count: (minute: number) => number): Readonly<Record<string, Course>> => {
    const minutes = Array.from({ length: 120 }, (_, minute) => minute);
    return inbox({
      [OLDEST]: [[30, 0], ...minutes.map((minute): Course[number] => [1, minute * 60])],
      waiting: [[30, 0], ...minutes.map((minute): Course[number] => [1, count(minute)])],
      // More than ever waits: they are another matter.
      delayed: always(20_000),
    });
  };

  it.each<[what: string, count: (minute: number) => number]>([
    ["grows", (minute) => minute * 10],
    ["stays as it is", () => 3],
    ["shrinks so slowly that it lasts for a day", (minute) => 10_000 - minute],
  ])("fires if the oldest message waits for minutes, and what waits %s", (_what, count) => {
    expectFiring([{ is: growing(count), grows: works(1) }], { "40m": [], "65m": ["KaleyraSmsBacklog page"] });
  });

  it("does not fire if what waits becomes less, though the oldest is old", () => {
    const shrinks = (minute: number): number => Math.max(0, 10_000 - 100 * minute);
    expectFiring([{ is: growing(shrinks), grows: works(100) }], { "45m": [], "65m": [], "90m": [], "2h": [] });
  });

  it("counts the inbox once, however many processes show it", () => {
    const processes = ["a", "b", "c"].map((instance): Process => ({
      instance,
      is: inbox({ waiting: always(3), [OLDEST]: always(200) }),
      grows: works(1),
    }));
    expectFiring(processes, { "65m": [] });
  });
});

describeWithPromtool("KaleyraSmsStuckRunning", () => {
  const stuck = inbox({
    running: [
      [30, 0],
      [DAY, 2],
    ],
  });

  it("fires if messages stay running, and nothing ends", () => {
    expectFiring([{ is: stuck, grows: { [STORED]: between(0, 30, 1) } }], {
      "45m": [],
      "65m": ["KaleyraSmsStuckRunning ticket"],
    });
  });

  it("does not fire if as many run in each scrape, but handlers end: in one job, or in a job of workers", () => {
    expectFiring([{ is: stuck, grows: works(1) }], { "65m": [], "2h": [] });
    expectFiring(
      [
        { job: "receivers", is: stuck, grows: { [STORED]: always(1) } },
        { job: "workers", is: stuck, grows: { [ENDED]: always(1) } },
      ],
      { "65m": [], "2h": [] },
    );
  });

  it("does not fire at the job of the receivers while the workers get through what came", () => {
    const less: Course = Array.from({ length: 120 }, (_, minute) => [1, 120 - minute]);
    const drains = inbox({ running: always(16), waiting: less });
    expectFiring(
      [
        { job: "receivers", is: drains, grows: { [STORED]: always(0) } },
        { job: "workers", is: drains, grows: { [ENDED]: always(1) } },
      ],
      { "65m": [] },
    );
  });
});

describeWithPromtool("dead letters", () => {
  const died = (cause: string): string => `dead_letters_total{cause="${cause}"}`;

  it.each(["attempts", "unreadable"])("fire KaleyraSmsNewDeadLetters at once (%s)", (cause) => {
    expectFiring(
      [
        {
          is: inbox({
            dead: [
              [30, 0],
              [1, 1],
              [DAY, 0],
            ],
          }),
          grows: { [died(cause)]: between(29, 30, 1) },
        },
      ],
      { "29m": [], "31m": ["KaleyraSmsNewDeadLetters ticket"], "50m": [] },
    );
  });

  it("fire KaleyraSmsKeptDeadLetters if they stay, also over a restart and a moment without the inbox", () => {
    const kept: Course = [[30, 0], [40, 1], [3, undefined], [57, 1], [DAY, 0]]; // prettier-ignore
    expectFiring(
      [
        { is: inbox({ dead: kept }), to: 60 },
        { instance: "b", from: 60, is: inbox({ dead: kept }) },
      ],
      { "60m": [], "85m": [], "95m": ["KaleyraSmsKeptDeadLetters ticket"], "145m": [] },
    );
  });

  it("do not fire it if they are replayed within the hour", () => {
    expectFiring([{ is: inbox({ dead: between(30, 80, 1) }), grows: { [HANDLED]: always(1) } }], {
      "85m": [],
      "2h": [],
    });
  });
});
