// What differs between a text that came and the one that was asked for, in words.

import { isExact, isLines, type Asked } from "./asked-text.js";

/** What differs in a text that came. Empty if it cannot be named. */
export function differences(text: string, asked: Asked): readonly string[] {
  if (isExact(text, asked)) return [];
  if (isLines(text, asked)) return [lineDifference(text)];
  const has = (part: string): boolean => text.includes(part);
  const says = [...quoteDifferences(text), ...backslashDifferences(text)];
  if (!has("{") || !has("}")) says.push("the braces are missing");
  if (has("&amp;") || has("&lt;")) says.push("the & or the < came as in HTML");
  else if (!has("<d>") || !has("&")) says.push("the < or the & is missing");
  if (!has("5%41+1")) says.push("5%41+1 came otherwise");
  if (!has("&  5") && !has("&amp;  5")) says.push("the two spaces after the & are not two");
  if (!/\u00c9/i.test(text.normalize("NFC"))) says.push("the \u00c9 did not arrive");
  if (!has("\u{1f600}")) says.push("the emoji did not arrive");
  if (text === text.toUpperCase() || text === text.toLowerCase()) says.push("capitals and small letters are not kept");
  if (says.length === 0) says.push("there is more than was asked for, or it is in another order");
  return says;
}

function lineDifference(text: string): string {
  const between = /up([^]{0,12}?)down/i.exec(text)?.[1] ?? "";
  if (between === "") return "the line break is lost";
  if (/^ +$/.test(between)) return "the line break came as a space";
  if (between.includes("\r")) return "the line break came with a carriage return";
  if (between === "\n") return "there is more than was asked for";
  return "the line break came as something else";
}

function quoteDifferences(text: string): string[] {
  if (/[\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb]/.test(text))
    return ["typographic quotes came in place of straight ones"];
  if (/&(?:quot|#0?3[49]|#x2[27]);/i.test(text)) return ["the quotes came as in HTML"];
  if (!text.includes('"') || !text.includes("'")) return ["quotes are missing"];
  return /(?<!["\\])"[Aa]"(?!")/.test(text) ? [] : ["the quotes came otherwise"];
}

function backslashDifferences(text: string): string[] {
  if (!text.includes("\\")) return ["the backslash is missing"];
  return /\\[\\"']/.test(text) ? ["there are more backslashes than were asked for"] : [];
}
