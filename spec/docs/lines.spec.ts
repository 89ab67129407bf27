// The lines of every page: short enough to be read in a terminal, and to be compared when they change.

import { expect, it } from "@jest/globals";

import { PAGES, proseOf } from "./pages";

const LIMIT = 200;

/** The lines of a page that are too long, but for tables and code. */
const tooLong = ({ path, text }: { readonly path: string; readonly text: string }): string[] =>
  proseOf(text)
    .split("\n")
    .flatMap((line, index) => (line.length > LIMIT && !line.startsWith("|") ? [`${path}:${index + 1}`] : []));

it("finds a line that is too long, and none in tables and code", () => {
  const long = "long ".repeat(50);
  const text = `${long}\n| ${long} |\n\n\`\`\`\n${long}\n\`\`\`\n\n- ${long}\n`;
  expect(tooLong({ path: "a.md", text })).toEqual(["a.md:1", "a.md:8"]);
});

it(`has at most ${LIMIT} characters`, () => {
  expect(PAGES.flatMap(tooLong)).toEqual([]);
});
