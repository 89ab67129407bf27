// Every link of every page leads somewhere: in the repository, on GitHub, and in the installed package.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, it } from "@jest/globals";

import { packedFiles } from "../support/packed-files";
import { anchorsOf, linksOf, PAGES, proseOf, ROOT, type Page } from "./pages";

const PACKED = new Set(packedFiles(ROOT));
const ANCHORS = new Map(PAGES.map((page) => [page.path, anchorsOf(page)]));

/** Whether the package has a file, or files in a folder. */
const isPacked = (path: string): boolean => PACKED.has(path) || [...PACKED].some((file) => file.startsWith(`${path}/`));

/** The file and the heading to which a link of a page leads; `undefined` if it leads out of the repository. */
function destination(
  page: Page,
  link: string,
): { readonly path: string; readonly anchor: string | undefined } | undefined {
  if (/^[a-z][a-z+.-]*:|^\/\//i.test(link)) return undefined;
  const [path = "", anchor] = link.split("#");
  if (path === "") return { path: page.path, anchor };
  return { path: posix.join(posix.dirname(page.path), decodeURI(path)).replace(/\/$/, ""), anchor };
}

/** What is wrong with a link of a page. */
function faultOf(page: Page, link: string): string | undefined {
  const to = destination(page, link);
  if (to === undefined) return undefined;
  const { path, anchor } = to;
  if (path.startsWith("..") || path.startsWith("/") || !existsSync(join(ROOT, path))) return "is not there";
  const anchors = path === page.path ? anchorsOf(page) : ANCHORS.get(path);
  if (anchor !== undefined && anchors?.has(anchor) !== true) return "has no such heading";
  if (PACKED.has(page.path) && !isPacked(path)) return "is not in the package";
  return undefined;
}

/** The links of pages that are broken, each with what is wrong. */
const broken = (pages: readonly Page[]): string[] =>
  pages.flatMap((page) =>
    linksOf(page).flatMap((link) => {
      const fault = faultOf(page, link);
      return fault === undefined ? [] : [`${page.path}: ${link} ${fault}`];
    }),
  );

it("finds what is broken", () => {
  const text = [
    "# A `b` heading: <i>one</i> [more](docs/)",
    "## Twice\n## Twice",
    "[here](#a-b-heading-one-more), [second](#twice-1), [third](#twice-2), `[code](none)`, [web](https://none.test/#none)",
    "[page](docs/codes.md#warnings-and-errors), [no page](docs/none.md), [no heading](docs/codes.md#none)",
    "![image](none.png), [source](lib/index.ts), [above](../none), [definition][1]",
    '<a href="none.html">',
    "[1]: none.txt",
    "```md\n[in a block](none.md)\n```\n<!-- [in a comment](none.md) -->",
  ].join("\n");
  expect(broken([{ path: "README.md", text }])).toEqual([
    "README.md: #twice-2 has no such heading",
    "README.md: docs/none.md is not there",
    "README.md: docs/codes.md#none has no such heading",
    "README.md: none.png is not there",
    "README.md: lib/index.ts is not in the package",
    "README.md: ../none is not there",
    "README.md: none.txt is not there",
    "README.md: none.html is not there",
  ]);
});

it("leads somewhere, also in the package", () => {
  expect(PAGES.length).toBeGreaterThan(20);
  expect(broken(PAGES)).toEqual([]);
});

it("names files and folders that are there", () => {
  const named = PAGES.filter(({ path }) => path !== "CHANGELOG.md").flatMap(({ path, text }) =>
    Array.from(proseOf(text).matchAll(/`((?:bench|docs|examples|lib|spec)\/[\w./-]+)`/g), ([, name = ""]) => [
      path,
      name,
    ]),
  );
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter(([, name = ""]) => !existsSync(join(ROOT, name)))).toEqual([]);
});

it("is right in every warning and comment of the code that names a page, which is in the package", () => {
  const sources = readdirSync(join(ROOT, "lib"), { recursive: true, encoding: "utf8" })
    .map((name) => join(ROOT, "lib", name))
    .filter((file) => file.endsWith(".ts") && statSync(file).isFile());
  const named = sources.flatMap((file) =>
    Array.from(readFileSync(file, "utf8").matchAll(/\bdocs\/[\w/-]+\.(?:md|mjs|yaml)(?:#[\w-]+)?/g), ([name]) => name),
  );
  const page = { path: "README.md", text: "" };
  expect(named.length).toBeGreaterThan(5);
  expect(named.map((name) => [name, faultOf(page, name)]).filter(([, fault]) => fault !== undefined)).toEqual([]);
});
