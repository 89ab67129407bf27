// The floors of lib/: each import from a floor above, or of an engine, fails `npm run lint`.

import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "@jest/globals";

const ROOT = join(__dirname, "..");

/** A file, and a module that it must not import. */
const FORBIDDEN = [
  ["router.ts", "./index.js"],
  ["options.ts", "./router.js"],
  ["http/send.ts", "../options.js"],
  ["pipeline/receive.ts", "../http/send.js"],
  ["pipeline/through-inbox.ts", "../inbox/sqlite/index.js"],
  ["handlers/dispatcher.ts", "../pipeline/receive.js"],
  ["handlers/registry.ts", "../answer/receipt.js"],
  ["answer/receipt.ts", "../inbox/inbox.js"],
  ["keywords/fold.ts", "../handlers/events.js"],
  ["callback/words.ts", "../keywords/fold.js"],
  ["callback/message.ts", "../access/secret.js"],
  ["access/secret.ts", "../callback/message.js"],
  ["base/clock.ts", "../callback/message.js"],
  ["inbox/arrivals.ts", "./sqlite/driver.js"],
  ["inbox/sqlite/driver.ts", "../bullmq/job.js"],
  ["inbox/bullmq/job.ts", "../sqlite/driver.js"],
  ["inbox/postgres/index.ts", "../sqlite/driver.js"],
  ["inbox/bullmq/client.ts", "libsql"],
  ["inbox/sqlite/driver.ts", "ioredis"],
  ["inbox/bullmq/job.ts", "pg"],
  ["inbox/attempt.ts", "bullmq"],
  ["inbox/memory/messages.ts", "../sqlite/driver.js"],
  ["inbox/attempt.ts", "./memory/messages.js"],
  ["http/send.ts", "../watch/health.js"],
  ["watch/health.ts", "../router.js"],
  ["pipeline/store.ts", "../watch/channels.js"],
  ["router.ts", "./testing/settled.js"],
  ["router.ts", "./simulator/simulator.js"],
  ["simulator/page/page.ts", "../simulator.js"],
  ["simulator/simulator.ts", "./page/page.js"],
] as const;

it("reports each forbidden import as an error", () => {
  const folder = mkdtempSync(join(tmpdir(), "floors-"));
  try {
    for (const name of ["lib", ".dependency-cruiser.cjs", "tsconfig.json", "package.json"]) {
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    for (const [file, imported] of FORBIDDEN)
      appendFileSync(join(folder, "lib", file), `import type {} from "${imported}";\n`);
    const cruiser = join(ROOT, "node_modules", "dependency-cruiser", "bin", "dependency-cruise.mjs");
    const { stdout } = spawnSync(process.execPath, [cruiser, "lib", "--output-type", "json"], {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    const { summary } = JSON.parse(stdout) as {
      summary: { error: number; violations: Array<Record<"from" | "to", string> & { rule: { name: string } }> };
    };
    const found = summary.violations
      .filter(({ rule }) => rule.name !== "no-circles")
      .map(({ from, to }) => [from, to].join(" imports "));
    const missed = FORBIDDEN.filter(([file, imported]) => {
      const end = imported.startsWith(".") ? join("lib", file, "..", imported).replace(/\.js$/, ".ts") : imported;
      return !found.some((one) => one.startsWith(`lib/${file} imports `) && one.includes(end));
    });
    expect(missed).toEqual([]);
    expect(summary.error).toBeGreaterThanOrEqual(FORBIDDEN.length);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
