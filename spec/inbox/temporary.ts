// What a spec leaves behind, taken away when it has ended.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "@jest/globals";

/** Run when the spec that is running has ended, the last one first. */
export const ended: Array<() => unknown> = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** A folder that is new. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "inbox-"));
  ended.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Where an inbox's file can be made. */
export function temporary(): string {
  return join(temporaryFolder(), "inbox.db");
}
