// Whether the file is still the file: SQLite goes on writing into one that was deleted, or overwritten, under it.

import { openSync, readSync, statSync } from "node:fs";

import { APPLICATION_ID } from "./tables.js";

const HEADER_BYTES = 72;
const MAGIC = "SQLite format 3\0";
const APPLICATION_ID_AT = 68;

/** The code of the error where it is not. */
const FILE_LOST = "KALEYRA_SMS_INBOX_FILE_LOST";

export class InboxFile {
  readonly #path: string;
  readonly #identities: ReadonlyMap<string, string>;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  readonly #descriptor: number;
  /** Whether the header says whose it is; not where another process keeps SQLite from writing it. */
  readonly #isMarked: boolean;

  /** The log, in which new transactions are, must be there already. */
  constructor(path: string) {
    this.#path = path;
    this.#identities = new Map([path, `${path}-wal`].map((file) => [file, identityOf(file)]));
    this.#descriptor = descriptorOf(path);
    this.#isMarked = this.#mark() === APPLICATION_ID;
  }

  /** @throws Error where what is written now would be gone with the process */
  assertSame(): void {
    for (const [file, identity] of this.#identities) {
      if (identityOf(file) !== identity) throw this.#lost("was deleted, or replaced by another");
    }
    const mark = this.#mark();
    if (mark === undefined || (this.#isMarked && mark !== APPLICATION_ID)) throw this.#lost("was overwritten");
  }

  /** The application id in the header; `undefined` where there is no header of SQLite's. */
  #mark(): number | undefined {
    const read = readSync(this.#descriptor, this.#header, 0, HEADER_BYTES, 0);
    const isDatabase = read === HEADER_BYTES && this.#header.toString("latin1", 0, MAGIC.length) === MAGIC;
    return isDatabase ? this.#header.readUInt32BE(APPLICATION_ID_AT) : undefined;
  }

  #lost(how: string): Error {
    return Object.assign(
      new Error(`The inbox's file ${this.#path} ${how}. Put it back, or restart the process to begin with a new one.`),
      { code: FILE_LOST },
    );
  }
}

/**
 * One for each file, and never closed: to close any descriptor of a file lets go of all locks that the process has on it, SQLite's among
 * them, whichever handle they are of.
 */
const descriptors = new Map<string, number>();

function descriptorOf(file: string): number {
  const identity = identityOf(file);
  const known = descriptors.get(identity);
  if (known !== undefined) return known;
  const descriptor = openSync(file, "r");
  descriptors.set(identity, descriptor);
  return descriptor;
}

function identityOf(file: string): string {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.dev}:${stats.ino}`;
}
