// Detects that the file was deleted, replaced or overwritten: SQLite would write on without an error.

import { closeSync, fstatSync, openSync, readSync, statSync, type BigIntStats } from "node:fs";

import { codedError } from "../../base/errors.js";
import { APPLICATION_ID } from "./sql.js";

const HEADER_BYTES = 72;
const MAGIC = "SQLite format 3\0";
const APPLICATION_ID_AT = 68;
/** The header of the log: https://sqlite.org/fileformat2.html#walformat. When the log begins anew, its salts change. */
const LOG_HEADER_BYTES = 32;
const LOG_MAGICS: readonly number[] = [0x377f0682, 0x377f0683];
const SALTS = [16, 24] as const;

export class InboxFile {
  readonly path: string;
  readonly #identities: ReadonlyMap<string, string>;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  readonly #descriptor: number;
  readonly #logDescriptor: number;
  /** Whether the header had the inbox's application id. Another process may have kept SQLite from writing it. */
  readonly #hasApplicationId: boolean;
  /** The log at the last look. */
  #logSalts = "";
  #logBytes = 0n;

  /**
   * The log, to which SQLite writes transactions, and its index, which the processes share, must exist already.
   *
   * @param descriptor - of the file, from `descriptorOf`. A thread gets it from its process: it must not close its own
   */
  constructor(path: string, descriptor = descriptorOf(path)) {
    this.path = path;
    const log = `${path}-wal`;
    const files = [path, log, `${path}-shm`].map((file) => [file, identityOf(statOf(file))] as const);
    this.#identities = new Map(files);
    this.#descriptor = descriptor;
    this.#logDescriptor = openSync(log, "r");
    this.#hasApplicationId = this.#readApplicationId() === APPLICATION_ID;
  }

  /** Closes the log, on which SQLite has no locks. */
  close(): void {
    closeSync(this.#logDescriptor);
  }

  /** @throws Error if the next transaction would be lost when the process ends */
  assertSame(): void {
    for (const [file, identity] of this.#identities) {
      if (identityOf(statOf(file)) !== identity) throw this.#lost("was deleted, or replaced by another");
    }
    if (!this.#isLogWhole()) throw this.#lost("lost a part of its log");
    const id = this.#readApplicationId();
    if (id === undefined || (this.#hasApplicationId && id !== APPLICATION_ID)) throw this.#lost("was overwritten");
  }

  /** The length of the log, in bytes. */
  logBytes(): number {
    return fstatSync(this.#logDescriptor).size;
  }

  /**
   * An empty log is whole only if SQLite knows of nothing in it. For readers: what a round writes shows the loss.
   *
   * @param frames - returns how many pages are in the log, according to SQLite
   * @throws Error if the log was emptied by something else
   */
  assertLog(frames: () => number): void {
    const isEmpty = (): boolean => this.logBytes() === 0;
    // Another process may write in between.
    if (isEmpty() && frames() > 0 && isEmpty()) throw this.#lost("lost its log");
  }

  /** SQLite may empty the log, and the next transaction then begins it anew. Otherwise it only grows. */
  #isLogWhole(): boolean {
    for (;;) {
      const salts = this.#readSalts();
      const { size } = fstatSync(this.#logDescriptor, { bigint: true });
      // Another process may have begun the log anew in between: then size and salts do not belong together.
      if (this.#readSalts() !== salts) continue;
      if (salts === "") return true;
      if (salts === undefined || (salts === this.#logSalts && size < this.#logBytes)) return false;
      this.#logSalts = salts;
      this.#logBytes = size;
      return true;
    }
  }

  /** The salts of the log: `""` if the log is empty, `undefined` if it has no header of SQLite's. */
  #readSalts(): string | undefined {
    const read = readSync(this.#logDescriptor, this.#header, 0, LOG_HEADER_BYTES, 0);
    if (read === 0) return "";
    const isLog = read === LOG_HEADER_BYTES && LOG_MAGICS.includes(this.#header.readUInt32BE(0));
    return isLog ? this.#header.toString("latin1", ...SALTS) : undefined;
  }

  /** The application id in the header of the file; `undefined` if it has no header of SQLite's. */
  #readApplicationId(): number | undefined {
    const read = readSync(this.#descriptor, this.#header, 0, HEADER_BYTES, 0);
    const isDatabase = read === HEADER_BYTES && this.#header.toString("latin1", 0, MAGIC.length) === MAGIC;
    return isDatabase ? this.#header.readUInt32BE(APPLICATION_ID_AT) : undefined;
  }

  #lost(how: string): Error {
    return codedError("KALEYRA_SMS_INBOX_FILE_LOST", {
      message:
        `The inbox's file ${this.path} ${how}. Move it back. ` +
        "Or copy what the process still has open before you restart it: a restart loses what waits.",
    });
  }
}

/**
 * One descriptor of this process for each file, never closed. Closing any descriptor of a file releases all locks of the
 * process on that file, including SQLite's, of every handle.
 */
const descriptors = new Map<string, number>();

export function descriptorOf(file: string): number {
  const identity = identityOf(statOf(file));
  const known = descriptors.get(identity);
  if (known !== undefined) return known;
  const descriptor = openSync(file, "r");
  descriptors.set(identity, descriptor);
  return descriptor;
}

/** Whether the file at a path is still the one of a descriptor. */
export function isStillAt(path: string, descriptor: number): boolean {
  return identityOf(statOf(path)) === identityOf(fstatSync(descriptor, { bigint: true }));
}

function statOf(file: string): BigIntStats | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false });
}

function identityOf(stats: BigIntStats | undefined): string {
  return stats === undefined ? "" : `${stats.dev}:${stats.ino}`;
}
