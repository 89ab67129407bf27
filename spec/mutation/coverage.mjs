// Which specs run a place of the build, and how long each takes: measured again only if the build or a spec changes.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";

const CACHE = join(import.meta.dirname, "../../node_modules/.cache/mutation");
const LONGEST_MS = 600_000;

/** @returns for each spec: how many `ms` it takes, and for each built file (`runs`) what V8 counted in its processes */
export async function measure(specs, workplace) {
  const { root } = workplace;
  mkdirSync(CACHE, { recursive: true });
  const support = filesBelow(root, "spec").filter((name) => !/\.spec\.ts$|^spec\/mutation\//.test(name));
  const measured = new Map();
  for (const spec of specs) {
    const sum = createHash("sha256").update(process.version);
    for (const name of [...filesBelow(root, "dist"), ...support, spec])
      sum.update(name).update(readFileSync(join(root, name)));
    const hash = sum.digest("hex");
    const cache = join(CACHE, `${spec.replaceAll("/", "+")}.json`);
    let result = existsSync(cache) ? JSON.parse(readFileSync(cache, "utf8")) : undefined;
    if (result?.hash !== hash) {
      result = { hash, ...(await measureOne(spec, workplace)) };
      writeFileSync(cache, JSON.stringify(result));
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
  const root = pathToFileURL(join(workplace.root, "/")).href;
  const runs = {};
  // One file for each process of the spec, except those that it killed.
  for (const name of readdirSync(folder))
    for (const { url, functions } of JSON.parse(readFileSync(join(folder, name), "utf8")).result)
      if (url.startsWith(`${root}dist/`))
        (runs[url.slice(root.length)] ??= []).push(functions.flatMap(({ ranges }) => ranges));
  return { ms, runs };
}

/** Whether a spec runs a place. Outer ranges come before inner ones, and the innermost counts. */
export function isRun(place, processes = []) {
  const isAround = ({ startOffset, endOffset }) => startOffset <= place && place < endOffset;
  return processes.some((ranges) => ranges.findLast(isAround)?.count > 0);
}

/** The files of a folder, by their path from `root`, in a lasting order. */
export function filesBelow(root, folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
}
