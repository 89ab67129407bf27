// The floors of lib/: what may import what. Type imports count.

/** From the top down. A room imports from floors below its own, never from one above, nor from another room of its own floor. */
const FLOORS = [
  ["index", "command"],
  ["simulator", "testing", "metrics"],
  ["router", "provider"],
  ["options"],
  ["http", "watch"],
  ["pipeline"],
  ["handlers", "answer", "inbox"],
  ["keywords"],
  ["callback", "access"],
  ["base"],
];

/** The engines of an inbox, each with the drivers that only it imports. */
const ENGINES = {
  sqlite: ["node:sqlite", "better-sqlite3", "libsql"],
  bullmq: ["bullmq", "ioredis"],
  postgres: ["pg"],
  memory: [],
};

const ROOMS = FLOORS.flat();
const engines = Object.keys(ENGINES);

/** A folder of lib/, or a file at its root. */
const room = (names) => `^lib/(${names.join("|")})(/|\\.ts$)`;
const engine = (names) => `^lib/inbox/(${names.join("|")})/`;
/** A package of npm's or a module of Node's, whether it is installed or not. */
const packages = (names) =>
  `(^|/node_modules/|^node:)(${names.map((name) => name.replace(/^node:/, "")).join("|")})(/|$)`;

const rule = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

const floors = FLOORS.flatMap((floor, n) =>
  floor.map((name) => {
    const above = FLOORS.slice(0, n).flat();
    const beside = floor.filter((other) => other !== name);
    return rule(
      `${name}-imports-from-below`,
      "A room imports from floors below its own only.",
      { path: room([name]) },
      { path: room([...above, ...beside, "no-room"]) },
    );
  }),
);

const inboxes = engines.flatMap((name) => {
  const others = engines.filter((other) => other !== name);
  const own = rule(
    `${name}-knows-no-other-engine`,
    "One engine of an inbox knows nothing of another.",
    { path: engine([name]) },
    { path: engine(others) },
  );
  const drivers = rule(
    `drivers-of-${name}-stay-there`,
    "A driver is imported in the folder of its engine only.",
    { path: "^lib/", pathNot: engine([name]) },
    { path: packages(ENGINES[name]) },
  );
  return ENGINES[name].length === 0 ? [own] : [own, drivers];
});

module.exports = {
  forbidden: [
    rule("no-circles", "Two files that import each other are one.", {}, { circular: true }),
    {
      name: "no-orphans",
      severity: "error",
      from: { orphan: true, pathNot: "\\.d\\.ts$|compile-schema\\.ts$" },
      to: {},
    },
    rule("every-file-has-a-floor", "A new room needs a place in FLOORS.", { path: "^lib/", pathNot: room(ROOMS) }, {}),
    ...floors,
    rule(
      "nobody-loads-an-engine-unasked",
      "What an inbox is does not depend on where it keeps messages: its user imports the engine.",
      { path: "^lib/", pathNot: [engine(engines), room(["command", "testing"])] },
      { path: engine(engines) },
    ),
    ...inboxes,
    rule(
      "the-page-knows-the-wire-only",
      "The page runs in a browser: of the package it knows the types of what it sends and gets.",
      { path: "^lib/simulator/page/" },
      { pathNot: "^lib/simulator/(page/|wire\\.ts$)" },
    ),
    rule(
      "nobody-imports-the-page",
      "The page is bundled on its own.",
      { path: "^lib/", pathNot: "^lib/simulator/page/" },
      { path: "^lib/simulator/page/" },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["types", "require", "node"] },
  },
};
