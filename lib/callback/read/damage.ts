// Reads a text in which bytes were damaged. Damage is allowed in what the subscriber typed, and nowhere else.

import { isText } from "../fields.js";
import type { Refusal } from "../invalid.js";
import type { Reading } from "./reading.js";

const DAMAGED: Refusal = {
  code: "malformed-body",
  detail: "The body holds bytes that are not valid in its charset, outside of the text of the SMS.",
};

/**
 * Reads a text twice, the second time with a mark in place of each damage: a value that differs is damaged.
 *
 * @param marked - the text with the marks
 */
export function readDamaged(text: string, marked: string, read: (text: string) => Reading): Reading {
  const reading = read(text);
  if ("refusal" in reading) {
    const { code } = reading.refusal;
    return code === "malformed-body" || code === "unknown-field" ? { refusal: DAMAGED } : reading;
  }
  const other = read(marked);
  if ("refusal" in other) return { refusal: DAMAGED };
  let inText = 0;
  for (const [name, value] of Object.entries(reading.fields)) {
    if (isText(name)) inText += countDifferences(value, other.fields[name] ?? "");
  }
  return inText === countDifferences(text, marked) ? { ...reading, damaged: true } : { refusal: DAMAGED };
}

function countDifferences(one: string, other: string): number {
  let count = 0;
  for (let at = 0; at < one.length; at++) if (one.charCodeAt(at) !== other.charCodeAt(at)) count++;
  return count;
}
