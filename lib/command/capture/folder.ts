// The folder of `--save`: a file for each callback that came, and the nonce, so that the next run goes on.

import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isRecord } from "../../base/record.js";
import { readSaved, writeSaved, type SavedCallback } from "../../provider/saved-callback.js";
import { Failure, fault, wrongUse } from "../failure.js";
import { newNonce, NONCE } from "./asked-text.js";
import { withoutSecrets } from "./kept.js";

export interface Folder {
  /** The one of an earlier run, or a new one. */
  readonly nonce: string;
  /** What came in earlier runs, in order. */
  readonly earlier: readonly SavedCallback[];
  /** How many of their files cannot be read. */
  readonly unreadable: number;
  /** Writes a callback, and returns its file. @throws Node's error if it cannot be written */
  save(callback: SavedCallback): string;
}

const NONCE_FILE = "capture.json";
const CALLBACK_FILE = /^callback-(\d{1,12})\.json$/;

/** @throws Failure if it is no folder, or cannot be written */
export function openFolder(path: string): Folder {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const nonce = nonceIn(join(path, NONCE_FILE));
    const files = readdirSync(path)
      .filter((name) => CALLBACK_FILE.test(name))
      .sort((a, b) => numberOf(a) - numberOf(b));
    const earlier = files.map((name) => readable(join(path, name))).filter((one) => one !== undefined);
    let last = numberOf(files.at(-1) ?? "");
    return {
      nonce,
      earlier,
      unreadable: files.length - earlier.length,
      save: (callback) => {
        for (;;) {
          last += 1;
          const file = join(path, `callback-${String(last).padStart(3, "0")}.json`);
          try {
            writeSaved(file, withoutSecrets(callback));
            return file;
          } catch (cause) {
            // Another run may write into the same folder.
            if (codeOf(cause) !== "EEXIST") throw cause;
          }
        }
      },
    };
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw wrongUse(
      `--save: the folder ${path} cannot be used (${codeOf(cause)}).`,
      "Name a folder that can be written.",
    );
  }
}

/** Why the run ends when a callback cannot be written. */
export function notSaved(cause: unknown): Failure {
  const code = codeOf(cause);
  const mend = ["ENOSPC", "EDQUOT", "EFBIG"].includes(code)
    ? "Make room"
    : code === "ENOENT"
      ? "The folder was removed or renamed: put it back"
      : "Look at who may write into the folder";
  return fault({
    code: "not-saved",
    message: `A callback came and could not be written (${code}). It got a 500.`,
    next: `${mend}, start again, and trigger the callback again in the console.`,
  });
}

function codeOf(cause: unknown): string {
  const { code = "no reason given" } = cause as NodeJS.ErrnoException;
  return code;
}

function numberOf(name: string): number {
  return Number(CALLBACK_FILE.exec(name)?.[1] ?? 0);
}

/** @throws Failure if the file is not one of capture's: it is never overwritten */
function nonceIn(file: string): string {
  const nonce = newNonce();
  try {
    writeFileSync(file, `${JSON.stringify({ nonce })}\n`, { flag: "wx", mode: 0o600 });
    return nonce;
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") throw cause;
  }
  const kept: unknown = lstatSync(file).isFile() ? parsed(readFileSync(file, "utf8")) : undefined;
  if (isRecord(kept) && typeof kept.nonce === "string" && NONCE.test(kept.nonce)) return kept.nonce;
  throw wrongUse(
    `--save: ${file} is not a file of capture, or it is damaged.`,
    "Name another folder. If the folder is capture's, remove the file: the text to send is then a new one.",
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A file that was cut off, for instance by a full disk, does not keep the others from being read. */
function readable(file: string): SavedCallback | undefined {
  try {
    // To read a pipe would wait for ever.
    if (!lstatSync(file).isFile()) return undefined;
    return readSaved(file, "--save");
  } catch {
    return undefined;
  }
}
