// The files that have an inbox in this process: two inboxes on one file would give two routers each other's messages.

import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { invalidOption } from "../../base/errors.js";

interface OpenFile {
  readonly path: string;
  /** Also recognizes a hard link. */
  readonly identity: string | undefined;
}

/** Shared by all copies of this package in the process. */
const FILES = Symbol.for("express-kaleyra-sms: files of inboxes");
const shared = globalThis as unknown as Record<symbol, Set<OpenFile> | undefined>;

/** @throws TypeError if an inbox of this process has the file */
export function assertFree(path: string): void {
  const { path: real, identity } = openFile(path);
  for (const other of shared[FILES] ?? []) {
    if (other.path === real || (identity !== undefined && other.identity === identity))
      throw invalidOption(
        `sqliteInbox has the file ${path} open in this process already. ` +
          "Use that inbox, close it first, or give each router a file of its own.",
      );
  }
}

/** Marks a file as open. @returns a function that takes that back */
export function markOpen(path: string): () => void {
  const files = (shared[FILES] ??= new Set());
  const file = openFile(path);
  files.add(file);
  return () => void files.delete(file);
}

function openFile(path: string): OpenFile {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return { path: realPathOf(path), identity: stats && `${stats.dev}:${stats.ino}` };
}

/** The file may not exist yet. */
function realPathOf(path: string): string {
  for (const [known, rest] of [
    [path, ""],
    [dirname(path), basename(path)],
  ] as const) {
    try {
      return join(realpathSync(known), rest);
    } catch {
      // Tries the folder.
    }
  }
  return path;
}
