// What becomes of the callbacks that do not hold the text that was asked for.

import type { Receipt } from "../../answer/receipt.js";
import type { SavedCallback } from "../../provider/saved-callback.js";
import type { Evidence } from "./evidence.js";
import { notProven, proven, toDo, type Finding } from "./finding.js";

/** What becomes of all other callbacks that came. */
export function othersOf(
  all: readonly SavedCallback[],
  sameMethod: readonly SavedCallback[],
  texts: readonly Evidence[],
  receipts: readonly Receipt[],
): Finding[] {
  const isAskedFor = (one: SavedCallback): boolean => texts.some(({ callback }) => callback === one);
  const others = receipts.filter((_, index) => {
    const callback = sameMethod[index];
    return callback !== undefined && !isAskedFor(callback);
  });
  const codes = new Map<string, number>();
  for (const { problem } of others)
    if (problem !== undefined) codes.set(problem.code, (codes.get(problem.code) ?? 0) + 1);
  const read = others.filter(({ problem }) => problem === undefined).length;
  const foreign = all.length - sameMethod.length;
  return [
    ...(read === 0 ? [] : [proven("other callbacks", `${read} of ${others.length} are read by these options.`)]),
    ...[...codes].map(([code, count]) =>
      toDo("other callbacks", `${count} of ${others.length} would be rejected: ${code}.`),
    ),
    ...(foreign === 0 ? [] : [toDo("other callbacks", `${foreign} came by another method, and are not read.`)]),
  ];
}

/** What came before the callbacks that a run looks at. */
export function forgottenOf(count: number): Finding[] {
  return count === 0 ? [] : [notProven("other callbacks", `${count} more came before these, and are not looked at.`)];
}
