// Reads the members of a request body as they are written. It takes what match.ts takes between the values: one object
// of texts in double quotes, with any white space around its marks.

import { printableName } from "./printable-name.js";

export interface WrittenMember {
  readonly name: string;
  /** What stands between the quotes, escapes included. */
  readonly value: string;
}

const SPACE = /[ \t\r\n]*/y;
const NAME = /"([^"\n]*)"[ \t\r\n]*:[ \t\r\n]*/y;
const VALUE = /"((?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*)"/uy;

/** @returns what is not understood, as a sentence without any value, in place of the members */
export function readMembers(text: string): { readonly members: WrittenMember[] } | { readonly problem: string } {
  const members: WrittenMember[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) return undefined;
    at += found[0].length;
    return found[1] ?? found[0];
  };
  const fail = (what: string): { problem: string } => ({
    problem: `Line ${text.slice(0, at).split("\n").length} of the request body: ${what}.`,
  });

  take(/\{/y);
  take(SPACE);
  for (let isFirst = true; ; isFirst = false) {
    if (isFirst && take(/\}/y) !== undefined) break;
    const name = take(NAME);
    if (name === undefined) return fail("a member begins with its name in double quotes, and a colon");
    const value = take(VALUE);
    if (value === undefined) return fail(`"${printableName(name)}" ${wrongValue(text.slice(at))}`);
    members.push({ name, value });
    take(SPACE);
    if (take(/\}/y) !== undefined) break;
    if (take(/,/y) === undefined) return fail(`after "${printableName(name)}", a comma or a closing brace is missing`);
    take(SPACE);
  }
  take(SPACE);
  return at === text.length ? { members } : fail("nothing may follow the closing brace");
}

function wrongValue(rest: string): string {
  if (/^[{[]/.test(rest)) return "is an object or a list: each value is a text in double quotes";
  if (rest.startsWith('"')) return "has a value that is not a JSON string on one line";
  return "has a value without double quotes around it";
}
