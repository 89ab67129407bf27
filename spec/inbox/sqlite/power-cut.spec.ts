// The file and its log as a power cut leaves them, at random instants: every acknowledged message is there.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { SmsMessage } from "express-kaleyra-sms";

import { post } from "../../support/callbacks";
import { recorder } from "../../support/recorder";
import { DRIVERS } from "../drivers";
import { freeze, thaw } from "../freeze";
import { separateInbox } from "../separate";
import { ended, temporaryFolder } from "../temporary";
import { until, waitFor } from "../waiting";

const CUTS = 24;
/** https://sqlite.org/fileformat2.html#walformat */
const LOG_HEADER_BYTES = 32;
const PAGE_HEADER_BYTES = 24;

/** What a process had acknowledged when it was frozen. */
interface Acknowledged {
  readonly count: number;
  readonly pages: number;
  readonly salts: string;
}

/** The last line that acknowledges.cjs wrote. */
function acknowledgedIn(file: string): Acknowledged {
  const [count, pages, salts = ""] = (readFileSync(file, "utf8").trimEnd().split("\n").at(-1) ?? "").split(" ");
  return { count: Number(count), pages: Number(pages), salts };
}

/**
 * The first byte of the log that a power cut may lose. SQLite has forced to the disk what was acknowledged, and what it
 * began to copy from the log into the file.
 *
 * @param file - the file of the frozen process
 */
function firstUnsafe(file: string, { pages, salts }: Acknowledged): number {
  const log = readFileSync(`${file}-wal`).subarray(0, LOG_HEADER_BYTES);
  const index = readFileSync(`${file}-shm`).subarray(0, 136);
  const ofLog = log.toString("hex", 16, 24);
  const copied = index.toString("hex", 32, 40) === ofLog ? index.readUInt32LE(128) : 0;
  // In a log that began anew since, nothing is acknowledged yet: all that was before is in the file.
  const safe = Math.max(copied, salts === ofLog ? pages : 0);
  return safe === 0 ? 0 : LOG_HEADER_BYTES + safe * (PAGE_HEADER_BYTES + log.readUInt32BE(8));
}

const numbered = (sample: SmsMessage, number: number): SmsMessage => {
  const key = createHash("sha256").update(`${number}`).digest("base64url");
  return { ...sample, key, source: key };
};

async function sampleMessage(): Promise<SmsMessage> {
  const { sms } = recorder();
  const { message } = await sms.receive(post({ message: "x".repeat(1_000) }));
  await sms.close();
  if (message === undefined) throw new Error("The sample is not valid.");
  return message;
}

describe.each(DRIVERS)("with $name", ({ name, open }) => {
  it(`has every acknowledged message after power cuts at ${CUTS} random instants`, async () => {
    const sample = await sampleMessage();
    const folder = temporaryFolder();
    const [file, acknowledgements] = [join(folder, "inbox.db"), join(folder, "acknowledged")];
    const args = [join(__dirname, "acknowledges.cjs"), name, file, acknowledgements, JSON.stringify(sample)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    const closed = new Promise((resolve) => child.once("close", resolve));
    ended.push(() => (child.kill("SIGKILL"), closed));
    await until(() => existsSync(acknowledgements), 10_000);

    const counts: number[] = [];
    for (let cut = 0; cut < CUTS; cut++) {
      await waitFor(Math.random() * 30);
      await freeze(child.pid ?? 0);
      const copy = join(folder, `${cut}.db`);
      const acknowledged = acknowledgedIn(acknowledgements);
      const unsafe = firstUnsafe(file, acknowledged);
      for (const end of ["", "-wal"]) copyFileSync(file + end, copy + end);
      // Often within the last transaction, sometimes anywhere in what an older one left there.
      const left = statSync(`${copy}-wal`).size - unsafe;
      truncateSync(
        `${copy}-wal`,
        unsafe + Math.floor(Math.random() * (cut % 3 === 0 ? left : Math.min(left, 100_000))),
      );

      const database = open(copy);
      const inbox = separateInbox({ database });
      const { count } = acknowledged;
      counts.push(count);
      expect((await inbox.stats()).waiting).toBeGreaterThanOrEqual(count);
      const { signal } = new AbortController();
      const again = await Promise.all(
        Array.from({ length: count }, (_, number) => inbox.store(numbered(sample, number), signal)),
      );
      expect(again.filter((became) => became !== "duplicate")).toEqual([]);
      expect(await inbox.store(numbered(sample, -1), signal)).toBe("stored");
      expect(database.prepare("PRAGMA integrity_check").all()).toMatchObject([{ integrity_check: "ok" }]);
      await inbox.close();
      database.close();
      thaw(child.pid ?? 0);
    }
    expect(counts.at(-1)).toBeGreaterThan(counts[0] ?? Infinity);
  }, 60_000);
});
