// The folder of `--save`: a file for each callback that came, and the nonce, so that the next run goes on.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isRecord } from "../../base/record.js";
import { readSaved, writeSaved, type SavedCallback } from "../../provider/saved-callback.js";
import { wrongUse } from "../failure.js";
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
const CALLBACK_FILE = /^callback-(\d+)\.json$/;

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
          // Another run may write into the same folder.
          if (existsSync(file)) continue;
          writeSaved(file, withoutSecrets(callback));
          return file;
        }
      },
    };
  } catch (cause) {
    const { code = "no reason given" } = cause as NodeJS.ErrnoException;
    throw wrongUse(`--save: the folder ${path} cannot be used (${code}).`, "Name a folder that can be written.");
  }
}

function numberOf(name: string): number {
  return Number(CALLBACK_FILE.exec(name)?.[1] ?? 0);
}

function nonceIn(file: string): string {
  if (existsSync(file)) {
    const kept: unknown = parsed(readFileSync(file, "utf8"));
    if (isRecord(kept) && typeof kept.nonce === "string" && NONCE.test(kept.nonce)) return kept.nonce;
  }
  const nonce = newNonce();
  writeFileSync(file, `${JSON.stringify({ nonce })}\n`, { mode: 0o600 });
  return nonce;
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
    return readSaved(file, "--save");
  } catch {
    return undefined;
  }
}
