// The file in this process, or in the thread that this runs in.

import type { Lease } from "../rounds/engine.js";
import type { Backend, Changes, Operations } from "./backend.js";
import type { Batch, BatchResult, TakenState } from "./batch.js";
import { openDatabase } from "./database.js";
import type { SqliteDatabase } from "./driver.js";
import { openFile } from "./drivers.js";
import { InboxFile } from "./file.js";
import { assertFree } from "./open-files.js";
import { Operator } from "./operator.js";
import { unwrittenLease } from "./processes.js";
import type { SqliteInboxSettings } from "./sqlite-options.js";
import { Statements } from "./statements.js";
import { Upkeep } from "./upkeep.js";
import { Writer } from "./writer.js";

interface Opening {
  /** Whether a file without tables is made an inbox's. */
  readonly isNewAllowed: boolean;
  /** The process's own descriptor of the file, if this is a thread: see file.ts. */
  readonly descriptor?: number;
  /** The lease of this process, if this is a thread: perhaps of an earlier one, with whose messages it goes on. */
  readonly lease?: Lease;
}

export class LocalBackend implements Backend {
  readonly #writer: Writer;
  readonly #operator: Operator;
  /** Closes the file at once. */
  readonly release: () => void;
  /** The path of the file. */
  readonly path: string;

  constructor(
    settings: SqliteInboxSettings,
    changes: Changes,
    { isNewAllowed, descriptor, lease = unwrittenLease() }: Opening,
  ) {
    const { database, file, release } = openPlace(settings, isNewAllowed, descriptor);
    const statements = new Statements(database);
    this.#writer = new Writer(database, statements, file, settings, lease);
    this.#operator = new Operator(database, file, new Upkeep(statements), changes);
    this.release = release;
    this.path = file.path;
  }

  write(batch: Batch): BatchResult {
    return this.#writer.write(batch);
  }

  gone(rows: readonly TakenState[]): readonly number[] {
    return this.#writer.gone(rows.map(({ seq }) => seq));
  }

  get operations(): Operations {
    return this.#operator;
  }

  closing(): void {
    // Nothing here waits for another thread.
  }

  async close(): Promise<void> {
    await this.#operator.close();
    this.release();
  }
}

interface Place {
  readonly database: SqliteDatabase;
  readonly file: InboxFile;
  /** Closes what was opened here. */
  readonly release: () => void;
}

function openPlace({ place, name }: SqliteInboxSettings, isNewAllowed: boolean, descriptor?: number): Place {
  if ("database" in place) {
    const path = openDatabase(place.database, name, "database", isNewAllowed);
    return placeOf(place.database, new InboxFile(path));
  }
  // Before it is opened: closing a second handle, perhaps of another driver, would release the locks of the first.
  assertFree(place.file);
  const database = openFile(place.file, place.driver);
  const close = (): void => void database.close();
  try {
    return placeOf(database, new InboxFile(openDatabase(database, name, "file", isNewAllowed), descriptor), close);
  } catch (error) {
    close();
    throw error;
  }
}

function placeOf(database: SqliteDatabase, file: InboxFile, close?: () => void): Place {
  const release = (): void => {
    file.close();
    close?.();
  };
  return { database, file, release };
}
