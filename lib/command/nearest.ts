// What a misspelt word may mean.

/**
 * Returns the candidate that differs in the fewest letters, not more than half of the word. A like beginning decides.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const begins = (candidate: string): boolean => candidate.startsWith(word.slice(0, 1));
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distanceOf(word.toLowerCase(), candidate) }))
    .sort((a, b) => a.distance - b.distance || Number(begins(b.candidate)) - Number(begins(a.candidate)));
  const [best] = ranked;
  return best !== undefined && best.distance <= word.length / 2 ? best.candidate : undefined;
}

/** Levenshtein's distance, a row at a time. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let index = 0; index < a.length; index++) {
    const next = [index + 1];
    for (let column = 0; column < b.length; column++) {
      const change = (row[column] ?? 0) + (a[index] === b[column] ? 0 : 1);
      next.push(Math.min(change, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
