// Corrects wrong numbers in a file that was damaged or changed by hand: one bad row must not stop every process.

import type { SqliteDatabase } from "./driver.js";
import { PROMOTE_ALL, STATE } from "./tables.js";

/** More than any process ever counts to, and half of the largest safe integer of JavaScript. */
const MAX = 2 ** 52;
const VALID = `BETWEEN 1 AND ${MAX}`;

const STEPS: readonly string[] = [
  // After all others: their keys stay known, their messages are handled.
  `UPDATE message SET seq = corrected FROM (
     SELECT seq AS wrong,
       (SELECT coalesce(MAX(seq), 0) FROM message WHERE seq ${VALID}) + row_number() OVER (ORDER BY seq) AS corrected
     FROM message WHERE seq NOT ${VALID}
   ) WHERE seq = wrong`,
  `UPDATE sqlite_sequence SET seq = (SELECT coalesce(MAX(seq), 0) FROM message)
   WHERE name = 'message' AND seq NOT BETWEEN 0 AND ${MAX}`,
  `DELETE FROM process WHERE id NOT ${VALID}`,
  `UPDATE process SET until = 0 WHERE until NOT BETWEEN 0 AND ${MAX}`,
  `UPDATE sqlite_sequence SET seq = (SELECT coalesce(MAX(id), 0) FROM process)
   WHERE name = 'process' AND seq NOT BETWEEN 0 AND ${MAX}`,
  // A message with an unknown state or an unknown owner would never be taken, and would block its source.
  `UPDATE message SET state = ${STATE.behind}, owner = NULL
   WHERE state < ${STATE.waiting} OR state > ${STATE.unreadable}
     OR (state IN (${STATE.held}, ${STATE.running}) AND (owner IS NULL OR owner NOT IN (SELECT id FROM process)))`,
  PROMOTE_ALL,
];

/** Corrects the file when a process starts. Must run in a transaction. */
export function repair(database: SqliteDatabase): void {
  for (const sql of STEPS) database.exec(sql);
}
