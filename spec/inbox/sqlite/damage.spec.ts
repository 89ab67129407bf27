// A file with wrong numbers: the inbox still works, and no message is lost or handled twice.

import { describe, expect, it } from "@jest/globals";

import { post } from "../../support/callbacks";
import { recorder } from "../../support/recorder";
import { DRIVERS, type OpenDatabase } from "../drivers";
import { separateInbox } from "../separate";
import { ended, temporary } from "../temporary";
import { until } from "../waiting";

/** Numbers beyond JavaScript's safe integers, the limits of SQLite's, and a negative one. */
const NUMBERS = ["9007199254740993", "9223372036854775807", "-9223372036854775808", "-1"];
const GREAT = NUMBERS[1] ?? "";
const FIRST = "seq = (SELECT MIN(seq) FROM message)";

describe.each(DRIVERS)("with $name", ({ open }) => {
  const opened = (file: string): OpenDatabase => {
    const database = open(file);
    ended.push(() => database.close());
    return database;
  };

  const router = (file: string, others: Parameters<typeof recorder>[0] = {}) => {
    const inbox = separateInbox({ database: opened(file), backoffMs: 20, leaseMs: 300 });
    const recorded = recorder({ inbox, ...others });
    ended.push(() => recorded.sms.close());
    return { ...recorded, inbox };
  };

  it.each([
    ...NUMBERS.map((number) => `UPDATE message SET seq = ${number} WHERE ${FIRST}`),
    ...NUMBERS.map((number) => `INSERT INTO process (id, until) VALUES (${number}, 1)`),
    ...NUMBERS.map((number) => `INSERT INTO process (id, until) VALUES (4711, ${number})`),
    ...NUMBERS.map((number) => `UPDATE sqlite_sequence SET seq = ${number}`),
    ...NUMBERS.map((number) => `UPDATE message SET state = 3, owner = ${number}, at = ${number} WHERE ${FIRST}`),
    `UPDATE message SET seq = ${GREAT} - seq`,
    `UPDATE message SET seq = -seq`,
    "UPDATE message SET seq = 1000000000000 + seq",
    "DELETE FROM sqlite_sequence",
  ])("handles every waiting and every new message once after %s", async (damage) => {
    const file = temporary();
    const before = router(file);
    const handled = ["a", "b"].map((message) => post({ message }));
    for (const one of handled) await before.sms.receive(one);
    await until(() => before.messages.length === 2);
    await before.sms.close();
    const receiver = router(file, { concurrency: 0 });
    const waiting = [post({ source: "1" }), post({ source: "1" }), post({ source: "2" })];
    for (const one of waiting) await receiver.sms.receive(one);
    await receiver.sms.close();
    opened(file).exec(damage);

    const { sms, inbox, messages, errors } = router(file);
    const sent = [post({ source: "1" }), post({ source: "3" })];
    for (const one of sent) expect(await sms.receive(one)).toMatchObject({ outcome: "stored" });
    await until(() => messages.length === 5);
    for (const one of [...handled, ...waiting, ...sent]) {
      expect(await sms.receive(one)).toMatchObject({ outcome: "duplicate" });
    }
    await until(async () => (await inbox.stats()).running === 0);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
    expect(await inbox.replayAll()).toBe(0);
    expect(new Set(messages.map(({ key }) => key)).size).toBe(5);
    expect(errors).toEqual([]);
  });
});
