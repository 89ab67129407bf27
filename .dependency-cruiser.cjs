// The floors of lib/: what may import what. Type imports count.

/** @param {string} from @param {string[]} to @param {string} comment */
const never = (from, to, comment) => ({
  name: `${from}-knows-no-${to.join("-")}`,
  comment,
  severity: "error",
  from: { path: `^lib/${from}(/|\\.ts$)` },
  to: { path: `^lib/(${to.join("|")})(/|\\.ts$)` },
});

const TOP = ["index", "incoming-sms", "options", "advice", "durable"];
/** What knows no room: any of them may use it. */
const BOTTOM = [
  "capacity",
  "clock",
  "debug",
  "eventual",
  "handling",
  "log",
  "process-warning",
  "query-string",
  "record",
  "sha256",
  "thrown",
  "time-limit",
];

module.exports = {
  forbidden: [
    { name: "no-circles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-orphans",
      severity: "error",
      from: { orphan: true, pathNot: "\\.d\\.ts$|compile-schema\\.ts$" },
      to: {},
    },
    never("incoming-sms", ["index"], "index.ts is the surface; nothing imports it."),
    never("options", ["index", "incoming-sms"], "The options know types of the rooms, not the factory."),
    never(
      "http",
      [...TOP, "access", "dispatch", "once", "inbox"],
      "HTTP knows nothing of callers, keywords, handlers and repeats.",
    ),
    never(
      "admit",
      [...TOP, "http", "receive", "once", "inbox", "callback"],
      "Whether a request may go on is known before it is read.",
    ),
    never("receive", [...TOP, "http", "admit", "access"], "A callback may come by another way than HTTP."),
    never(
      "dispatch",
      [...TOP, "http", "admit", "once", "inbox", "answer", "receive"],
      "Handlers know nothing of how a message came and is answered.",
    ),
    never(
      "once",
      [...TOP, "http", "inbox", "dispatch", "answer", "receive", "callback"],
      "Keys and turns know nothing of messages.",
    ),
    never(
      "inbox",
      [...TOP, "http", "admit", "access", "once", "dispatch", "answer", "receive"],
      "An inbox knows messages, and nothing of how they came and are handled.",
    ),
    never(
      "answer",
      [...TOP, "http", "dispatch", "once", "inbox", "receive"],
      "Answers know what became of a callback, not how.",
    ),
    never(
      "access",
      [...TOP, "http", "admit", "dispatch", "once", "inbox", "answer", "receive", "callback"],
      "Access comes before all else.",
    ),
    never(
      "callback",
      [...TOP, "http", "admit", "access", "dispatch", "once", "inbox", "answer", "receive", "capacity"],
      "Reading needs nothing but what was sent.",
    ),
    ...BOTTOM.map((room) =>
      never(
        room,
        [...TOP, "http", "admit", "access", "callback", "dispatch", "once", "inbox", "answer", "receive"],
        "What every room may use knows none of them.",
      ),
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["types", "require", "node"] },
  },
};
