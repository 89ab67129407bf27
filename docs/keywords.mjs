// Renews the words of consent in docs/keywords.md, between markers, from the tables in the build: `npm run docs` does it
// (`--write`). Without `--write`, it ends with 1 if they differ: a spec runs that.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";

import {
  CLOSINGS,
  COURTESIES,
  HELP_WORDS,
  MESSAGE_WORDS,
  OPT_IN_WORDS,
  OPT_OUT_WORDS,
  POSSIBLE_OPT_OUT_STEMS,
  POSSIBLE_OPT_OUT_WORDS,
  REFUSALS,
  STOP_BEFORE,
  STOP_NOT_BEFORE,
} from "../dist/keywords/consent.js";

const LINE = 110;

/** Words with commas, in lines that can be read. */
function list(words, indent = "") {
  const lines = [""];
  for (const word of words.map((one, index) => (index === words.length - 1 ? one : `${one},`))) {
    const line = lines.at(-1);
    if (line !== "" && line.length + word.length > LINE) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join(`\n${indent}`);
}

const FOLLOWS = {
  anything: "Whatever follows:",
  nothing: "If nothing follows:",
  stop: "If what follows is a rule of STOP, below:",
  messages: "If nothing follows, or only words for the messages, below:",
};

const byCondition = (rows) =>
  rows.map(({ follows, words }) => `- ${FOLLOWS[follows]}\n  ${list(words, "  ")}`).join("\n");

const STEMS = POSSIBLE_OPT_OUT_STEMS.map(({ form }) => `\`${form.source}\``);

const BLOCKS = {
  "opt-out": `${byCondition(OPT_OUT_WORDS)}

STOP counts if one of these holds:

- Nothing follows, or a mark, an emoji or a new line.
- Exactly one more word follows, but not one of these:
  ${list(STOP_NOT_BEFORE, "  ")}
- The next word is one of these:
  ${list(STOP_BEFORE, "  ")}

Words for the messages:

${list(MESSAGE_WORDS)}`,
  "possible-opt-out": `${list(POSSIBLE_OPT_OUT_WORDS)}

Words of these forms, too: ${STEMS.join(", ")}.`,
  "opt-in": byCondition(OPT_IN_WORDS),
  help: byCondition(HELP_WORDS),
  courtesies: `${list([...COURTESIES, ...CLOSINGS])}

Skipped, too, but not before a word that must stand alone: ${list(REFUSALS)}.`,
};

const PATH = join(import.meta.dirname, "keywords.md");
const page = readFileSync(PATH, "utf8");
const MARKED = /(?<=<!-- words: ([\w-]+) -->\n)[^]*?(?=<!-- \/words -->)/g;
const filled = page.replace(MARKED, (_, name) => `\n${BLOCKS[name]}\n\n`);
const renewed = await format(filled, { parser: "markdown", printWidth: 120 });

if (process.argv.includes("--write")) writeFileSync(PATH, renewed);
else if (renewed !== page) {
  console.log("docs/keywords.md differs: run `npm run docs`.");
  process.exitCode = 1;
}
