// Measures which parts of the build each spec runs, and how long it takes. Cached until the build or the spec changes.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";

const CACHE = join(import.meta.dirname, "../../node_modules/.cache/mutation");
const LONGEST_MS = 600_000;

/** @returns for each spec: its duration (`ms`), and for each built file (`runs`) V8's coverage of each process */
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
  // Each process of the spec writes one file, unless the spec killed it.
  for (const name of readdirSync(folder))
    for (const { url, functions } of JSON.parse(readFileSync(join(folder, name), "utf8")).result)
      if (url.startsWith(`${root}dist/`))
        (runs[url.slice(root.length)] ??= []).push(functions.flatMap(({ ranges }) => ranges));
  return { ms, runs };
}

/** Whether a spec runs the code at an offset. Outer ranges come before inner ones, and the innermost one decides. */
export function isRun(offset, processes = []) {
  const contains = ({ startOffset, endOffset }) => startOffset <= offset && offset < endOffset;
  return processes.some((ranges) => ranges.findLast(contains)?.count > 0);
}

/** The paths of all files in a folder, relative to `root`, in a stable order. */
export function filesBelow(root, folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
}
