// Temporary files, and other things to clean up after each spec.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "@jest/globals";

/** Functions that run after the current spec, the last one first. */
export const ended: Array<() => unknown> = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** A new folder, which is removed after the spec. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "inbox-"));
  ended.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The path of a new inbox's file. */
export function temporary(): string {
  return join(temporaryFolder(), "inbox.db");
}
