// Writes the files that pages print into this folder: `node files-of.mjs PAGE...`. The first line of such a block is a
// comment with the file's name.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

for (const page of process.argv.slice(2))
  for (const [, code] of readFileSync(page, "utf8").matchAll(/^```\w+\n([^]*?)^```$/gm)) {
    const [, name] = /^\/\/ ([\w./-]+\.\w+)/.exec(code) ?? [];
    if (name === undefined) continue;
    mkdirSync(dirname(name), { recursive: true });
    writeFileSync(name, code);
  }
