// What is measured of the inboxes.

const RECEIVES = { concurrency: 0 };

/** Acknowledged callbacks a second, in pairs. `isUnpinned`: the server may use both cores, as the load does. */
export const INBOXES = [
  {
    id: "sqlite-two-cores",
    label: "`sqliteInbox`, the server on two cores: of no inbox",
    kind: "sqlite",
    isUnpinned: true,
  },
  { id: "sqlite-one-core", label: "`sqliteInbox`, the server on one core: of no inbox", kind: "sqlite" },
  {
    id: "sqlite-in-process",
    label: "`sqliteInbox` with `thread: false`, one core: of no inbox",
    kind: "sqlite-in-process",
  },
  {
    id: "sqlite-each",
    label: "the same: of one transaction for each callback, which does not note what was handled",
    kind: "sqlite-in-process",
    other: "sqlite-each",
  },
  { id: "bullmq", label: "`bullmqInbox`, receiving and handling in one process: of no inbox", kind: "bullmq" },
  { id: "bullmq-receives", label: "`bullmqInbox`, receiving only: of no inbox", kind: "bullmq", options: RECEIVES },
  { id: "postgres", label: "`postgresInbox`, receiving and handling in one process: of no inbox", kind: "postgres" },
  {
    id: "postgres-receives",
    label: "`postgresInbox`, receiving only: of no inbox",
    kind: "postgres",
    options: RECEIVES,
  },
];

/** With a backlog, of without one. */
export const BACKLOGS = [
  { id: "sqlite", label: "`sqliteInbox`" },
  { id: "postgres", label: "`postgresInbox`" },
];

/** Another route of the app, with each inbox on a disk whose `fsync` takes so much longer. */
export const ROUTES = [
  { id: "sqlite", label: "`sqliteInbox`" },
  { id: "sqlite-in-process", label: "`sqliteInbox` with `thread: false`" },
  { id: "bullmq", label: "`bullmqInbox`" },
  { id: "postgres", label: "`postgresInbox`" },
].flatMap((row) => [0, 2, 10].map((fsyncMs) => ({ ...row, id: `${row.id}-${fsyncMs}`, kind: row.id, fsyncMs })));

/** From a text's arrival to its handler. */
export const HANDLERS = [
  { id: "none", label: "no inbox", kind: "none" },
  ...[
    { id: "sqlite", label: "`sqliteInbox`" },
    { id: "sqlite-in-process", label: "`sqliteInbox` with `thread: false`" },
    { id: "bullmq", label: "`bullmqInbox`" },
    { id: "postgres", label: "`postgresInbox`" },
  ].flatMap(({ id, label }) => [
    { id, label, kind: id },
    { id: `${id}-elsewhere`, label: `${label}, handled in another process`, kind: id, isElsewhere: true },
  ]),
];
