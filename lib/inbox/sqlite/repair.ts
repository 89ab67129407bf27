// Makes the numbers of a file sane that is damaged, or was changed by hand: one bad row must not stop every round of every process.

import type { SqliteDatabase } from "./driver.js";
import { LAST, STEP } from "./keys.js";
import { PROMOTE_ALL, STATE } from "./tables.js";

/** More than any process counts to, and as far again from what JavaScript no longer tells apart. */
const MOST = 2 ** 52;
const COUNTED = `BETWEEN 1 AND ${MOST}`;
const LAST_COUNTED = `max((SELECT coalesce(MAX(seq), 0) FROM message WHERE seq ${COUNTED}),
  (SELECT coalesce(MAX(seq), 0) FROM done WHERE seq ${COUNTED}))`;

/** Puts rows behind all others: they keep their keys, and what they hold is handled. */
const renumber = (table: string, odd: string): string =>
  `UPDATE ${table} SET seq = given FROM (
     SELECT seq AS odd, ${LAST_COUNTED} + row_number() OVER (ORDER BY seq) AS given FROM ${table} WHERE ${odd}
   ) WHERE seq = odd`;

const STEPS: readonly string[] = [
  renumber("message", `seq NOT ${COUNTED}`),
  // Where a message has the number too, it could never be done.
  renumber("done", `seq NOT ${COUNTED} OR seq IN (SELECT seq FROM message)`),
  // What was filed is not known then: all is filed again.
  `DELETE FROM filing WHERE turns NOT BETWEEN 0 AND ${LAST} / ${STEP}`,
  "INSERT INTO filing SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM filing)",
  `DELETE FROM process WHERE id NOT ${COUNTED}`,
  `UPDATE process SET until = 0 WHERE until NOT BETWEEN 0 AND ${MOST}`,
  `UPDATE sqlite_sequence SET seq = (SELECT coalesce(MAX(id), 0) FROM process) WHERE name = 'process' AND seq NOT BETWEEN 0 AND ${MOST}`,
  // In no state that there is, or with a process that never was: no process would ever take it out, or what is behind it.
  `UPDATE message SET state = ${STATE.behind}, owner = NULL
   WHERE state < ${STATE.waiting} OR state > ${STATE.unreadable}
     OR (state IN (${STATE.held}, ${STATE.running}) AND (owner IS NULL OR owner NOT IN (SELECT id FROM process)))`,
  PROMOTE_ALL,
];

/** Within a transaction, when a process begins. */
export function repair(database: SqliteDatabase): void {
  for (const sql of STEPS) database.exec(sql);
}
