// Whether the values of a form or a query are percent-encoded, by the text that was asked for: a plain & cuts it.

import { queryOf } from "../../provider/as-callback.js";
import type { Evidence } from "./evidence.js";
import { notProven, proven, toDo, type Finding } from "./finding.js";

const ABOUT = "values";

/** The & of the awkward text, and the two signs around it. */
const AMPERSAND = /(?:<|%3c)d(?:>|%3e)(?: |\+|%20)(&|%26)/gi;

/** @param texts - those that came as a form or by GET */
export function valuesOf(texts: readonly Evidence[]): Finding {
  const written = texts.flatMap(({ callback, isLines }) => {
    if (isLines) return [];
    const query = callback.method === "GET" ? queryOf(callback.url) : Buffer.from(callback.body).toString("latin1");
    return Array.from(query.matchAll(AMPERSAND), ([, sign]) => sign);
  });
  if (written.length === 0)
    return notProven(ABOUT, "Whether they are percent-encoded: the & of the text did not come.");
  return written.includes("&")
    ? toDo(ABOUT, "They are not percent-encoded: an & in a text cuts it, and a + or a % becomes something else.")
    : proven(ABOUT, "They are percent-encoded.");
}
