// The Markdown pages of the repository, as the specs of the documentation read them.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(__dirname, "..", "..");

export interface Page {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of code. */
export interface Block {
  readonly page: string;
  /** The line of the page on which its code begins, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** Why nothing checks it, if the comment in front of it says so: `<!-- not run: why -->`. */
  readonly notRun: string | undefined;
}

const NOT_OURS = new Set(["node_modules", "dist", "coverage", ".git"]);

function markdownIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : markdownIn(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** Every page of the repository. */
export const PAGES: readonly Page[] = markdownIn("").map((path) => ({
  path,
  text: readFileSync(join(ROOT, path), "utf8"),
}));

const FENCED = /^( *)(```+|~~~+) *([^\s`]*).*\n([^]*?)^\1\2 *$/gm;
const NOT_RUN = /<!-- not run: ([^]*?) -->\s*$/;

export function blocksOf({ path, text }: Page): Block[] {
  return Array.from(text.matchAll(FENCED), ({ index, 1: indent = "", 3: language = "", 4: code = "" }) => {
    const before = text.slice(0, index);
    return {
      page: path,
      line: before.split("\n").length + 1,
      language,
      code: code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
      notRun: NOT_RUN.exec(before)?.[1],
    };
  });
}

/** What is neither in a block of code nor in a comment; lines stay where they are. */
export function proseOf(text: string): string {
  const blank = (all: string): string => all.replaceAll(/[^\n]/g, "");
  return text.replaceAll(FENCED, blank).replaceAll(/<!--[^]*?-->/g, blank);
}

/** The anchors of a page, as GitHub makes them of its headings, and those that it names itself. */
export function anchorsOf({ text }: Page): ReadonlySet<string> {
  const prose = proseOf(text);
  const anchors = new Set(Array.from(prose.matchAll(/<\w+ [^>]*\b(?:id|name)="([^"]+)"/g), ([, id = ""]) => id));
  const counts = new Map<string, number>();
  for (const [, heading = ""] of prose.matchAll(/^ {0,3}#{1,6}[ \t]+(.*?)[ \t#]*$/gm)) {
    const slug = slugOf(heading);
    const before = counts.get(slug) ?? 0;
    counts.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}

function slugOf(heading: string): string {
  return heading
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/<[^>\\]*>/g, "")
    .replaceAll(/(`+)(.*?)\1|\*\*?(\S[^*]*)\*\*?|\\(.)/g, "$2$3$4")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** The targets of a page's links and images. */
export function linksOf({ text }: Page): string[] {
  const prose = proseOf(text).replaceAll(/(`+)[^`]*?\1/g, "code");
  const inline = prose.matchAll(/\]\(\s*<?([^)\s>]+)/g);
  const definitions = prose.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)/gm);
  const html = prose.matchAll(/\b(?:href|src|srcset)="([^"\s]+)/g);
  return [...inline, ...definitions, ...html].map(([, target = ""]) => target);
}
