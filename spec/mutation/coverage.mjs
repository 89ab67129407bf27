// Which specs run a place of the build, and how long each takes: measured once, and again when the build or a spec has changed.

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";

const CACHE = join(import.meta.dirname, "../../node_modules/.cache/mutation");
const LONGEST_MS = 600_000;

/** @returns of each spec, `ms` and what it `executes`: ranges of each built file, `[start, end, start, end, ...]` */
export async function measure(specs, workplace) {
  mkdirSync(CACHE, { recursive: true });
  const isSpec = (name) => name.endsWith(".spec.ts");
  const shared = hashOf(workplace.root, [
    ...filesBelow(workplace.root, "dist"),
    ...filesBelow(workplace.root, "spec").filter((name) => !isSpec(name) && !name.startsWith("spec/mutation/")),
  ]);
  const measured = new Map();
  for (const spec of specs) {
    const cached = join(CACHE, `${hashOf(workplace.root, [spec], `${process.version} ${shared}`)}.json`);
    let result = readIfThere(cached);
    if (result === undefined) {
      result = await measureOne(spec, workplace);
      writeFileSync(cached, JSON.stringify(result));
      console.log(`measured ${spec}: ${(result.ms / 1000).toFixed(1)} s`);
    }
    measured.set(spec, result);
  }
  return measured;
}

async function measureOne(spec, workplace) {
  const folder = mkdtempSync(join(workplace.temporary, "coverage-"));
  const begun = performance.now();
  const { outcome } = await workplace.run([spec], () => LONGEST_MS, { NODE_V8_COVERAGE: folder });
  const ms = Math.round(performance.now() - begun);
  if (outcome !== "survived") throw new Error(`${spec} fails without a mutant: npx jest ${spec}`);
  const dist = pathToFileURL(join(workplace.root, "dist/")).href;
  const marks = new Map();
  // One for each process that the spec has started, and not killed.
  for (const name of readdirSync(folder)) {
    for (const { url, functions } of JSON.parse(readFileSync(join(folder, name), "utf8")).result) {
      if (!url.startsWith(dist)) continue;
      // The ranges come from the outside inwards: the innermost is right about what is in it.
      const counted = new Uint8Array(functions[0].ranges[0].endOffset);
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges)
          counted.fill(Math.min(count, 1), startOffset, endOffset);
      const file = `dist/${url.slice(dist.length)}`;
      const before = marks.get(file);
      marks.set(file, before === undefined ? counted : counted.map((count, at) => count | (before[at] ?? 0)));
    }
  }
  return { ms, executes: Object.fromEntries([...marks].map(([file, counted]) => [file, rangesOf(counted)])) };
}

function rangesOf(counted) {
  const ranges = [];
  for (let at = 0; at <= counted.length; at++) if ((counted[at] ?? 0) !== (counted[at - 1] ?? 0)) ranges.push(at);
  return ranges;
}

/** Whether a spec runs a place. */
export function isIn(ranges, place) {
  const next = ranges.findIndex((edge) => edge > place);
  return next % 2 === 1;
}

/** The files of a folder, by their path from `root`, in a lasting order. */
export function filesBelow(root, folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
}

function hashOf(root, names, salt = "") {
  const hash = createHash("sha256").update(salt);
  for (const name of names) hash.update(name).update(readFileSync(join(root, name)));
  return hash.digest("hex");
}

function readIfThere(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
