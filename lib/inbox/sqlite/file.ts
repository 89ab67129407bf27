// Whether the file is still the file: SQLite goes on writing into one that was deleted, or overwritten, under it.

import { fstatSync, openSync, readSync, statSync, type BigIntStats } from "node:fs";

import { codedError } from "../../base/errors.js";
import { APPLICATION_ID } from "./tables.js";

const HEADER_BYTES = 72;
const MAGIC = "SQLite format 3\0";
const APPLICATION_ID_AT = 68;
/** The log's, from https://sqlite.org/fileformat2.html#walformat; it begins anew with other salts. */
const LOG_HEADER_BYTES = 32;
const LOG_MAGICS: readonly number[] = [0x377f0682, 0x377f0683];
const SALTS = [16, 24] as const;

export class InboxFile {
  readonly #path: string;
  readonly #identities: ReadonlyMap<string, string>;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  readonly #descriptor: number;
  readonly #logDescriptor: number;
  /** Whether the header says whose it is; not where another process keeps SQLite from writing it. */
  readonly #isMarked: boolean;
  /** The log when it was last looked at. */
  #logSalts = "";
  #logBytes = 0n;

  /** The log, in which new transactions are, must be there already, and what SQLite's processes share to find them in it. */
  constructor(path: string) {
    this.#path = path;
    const log = `${path}-wal`;
    const files = [path, log, `${path}-shm`].map((file) => [file, identityOf(statOf(file))] as const);
    this.#identities = new Map(files);
    this.#descriptor = descriptorOf(path);
    this.#logDescriptor = descriptorOf(log);
    this.#isMarked = this.#mark() === APPLICATION_ID;
  }

  /** @throws Error where what is written now would be gone with the process */
  assertSame(): void {
    for (const [file, identity] of this.#identities) {
      if (identityOf(statOf(file)) !== identity) throw this.#lost("was deleted, or replaced by another");
    }
    if (!this.#isLogWhole()) throw this.#lost("lost a part of its log");
    const mark = this.#mark();
    if (mark === undefined || (this.#isMarked && mark !== APPLICATION_ID)) throw this.#lost("was overwritten");
  }

  /** It is empty after SQLite has emptied it, until the next transaction, and otherwise only grows. */
  #isLogWhole(): boolean {
    for (;;) {
      const salts = this.#readSalts();
      const { size } = fstatSync(this.#logDescriptor, { bigint: true });
      // Another process may have emptied it, and begun anew, between the two looks: then the size is not that of these salts.
      if (this.#readSalts() !== salts) continue;
      if (salts === "") return true;
      if (salts === undefined || (salts === this.#logSalts && size < this.#logBytes)) return false;
      this.#logSalts = salts;
      this.#logBytes = size;
      return true;
    }
  }

  /** Of the log: empty where it is empty; `undefined` where it has no header of SQLite's. */
  #readSalts(): string | undefined {
    const read = readSync(this.#logDescriptor, this.#header, 0, LOG_HEADER_BYTES, 0);
    if (read === 0) return "";
    const isLog = read === LOG_HEADER_BYTES && LOG_MAGICS.includes(this.#header.readUInt32BE(0));
    return isLog ? this.#header.toString("latin1", ...SALTS) : undefined;
  }

  /** The application id in the header; `undefined` where there is no header of SQLite's. */
  #mark(): number | undefined {
    const read = readSync(this.#descriptor, this.#header, 0, HEADER_BYTES, 0);
    const isDatabase = read === HEADER_BYTES && this.#header.toString("latin1", 0, MAGIC.length) === MAGIC;
    return isDatabase ? this.#header.readUInt32BE(APPLICATION_ID_AT) : undefined;
  }

  #lost(how: string): Error {
    return codedError("KALEYRA_SMS_INBOX_FILE_LOST", {
      message: `The inbox's file ${this.#path} ${how}. Put it back, or restart the process to begin with a new one.`,
    });
  }
}

/**
 * One for each file, and never closed: to close any descriptor of a file lets go of all locks that the process has on it, SQLite's among
 * them, whichever handle they are of.
 */
const descriptors = new Map<string, number>();

function descriptorOf(file: string): number {
  const identity = identityOf(statOf(file));
  const known = descriptors.get(identity);
  if (known !== undefined) return known;
  const descriptor = openSync(file, "r");
  descriptors.set(identity, descriptor);
  return descriptor;
}

function statOf(file: string): BigIntStats | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false });
}

function identityOf(stats: BigIntStats | undefined): string {
  return stats === undefined ? "" : `${stats.dev}:${stats.ino}`;
}
