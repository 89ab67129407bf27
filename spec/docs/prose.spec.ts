// The first pages that a user reads have one sentence a line, none of more than 25 words.

import { expect, it } from "@jest/globals";

import { readPage } from "./page";
import { longSentences } from "./prose";

it("finds two sentences on a line, and a long one", () => {
  const long = "word ".repeat(26).trim();
  expect(longSentences(`One. Two.\nSee [one](a.md). \n1. One\n- ${long}\n| One. Two. |`)).toEqual(["One. Two.", long]);
});

it.each(["README", "console", "mounting", "profile", "start", "who-may-call"])("is so in docs/%s.md", (name) => {
  expect(longSentences(readPage(`docs/${name}.md`).text)).toEqual([]);
});
