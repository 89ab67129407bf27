// The totals of the texts that were tried, and the possible opt-outs among them, for a person to read.

import { printable } from "../printable.js";
import type { Result } from "../verb.js";
import type { Tried } from "./tried.js";

/** How many possible opt-outs are listed: texts come as a stream, and are not kept. */
const MOST_LISTED = 100;

export class Tally {
  #texts = 0;
  #unmatched = 0;
  #optOuts = 0;
  #possibleOptOuts = 0;
  #invalid = 0;
  readonly #keywords = new Map<string, number>();
  readonly #listed: Array<Required<Pick<Tried, "line" | "text" | "possibleOptOut">>> = [];

  add({ line, text, matches, unmatched, optOut, possibleOptOut, invalid }: Tried): void {
    this.#texts += 1;
    this.#unmatched += Number(unmatched);
    this.#optOuts += Number(optOut);
    this.#invalid += Number(invalid !== undefined);
    for (const { pattern } of matches) this.#keywords.set(pattern, (this.#keywords.get(pattern) ?? 0) + 1);
    if (possibleOptOut === undefined) return;
    this.#possibleOptOuts += 1;
    if (this.#listed.length < MOST_LISTED) this.#listed.push({ line, text, possibleOptOut });
  }

  result(): Result {
    const keywords = [...this.#keywords].sort(([, a], [, b]) => b - a);
    return {
      data: {
        totals: {
          texts: this.#texts,
          optOuts: this.#optOuts,
          possibleOptOuts: this.#possibleOptOuts,
          unmatched: this.#unmatched,
          invalid: this.#invalid,
          keywords: Object.fromEntries(keywords),
        },
        possibleOptOuts: this.#listed,
      },
      text: [
        "",
        `Texts: ${this.#texts}. Opt-outs: ${this.#optOuts}, possible ones: ${this.#possibleOptOuts}, ` +
          `unmatched: ${this.#unmatched}, invalid: ${this.#invalid}.`,
        ...keywords.map(([pattern, count]) => `${String(count).padStart(7)}  ${printable(pattern)}`),
        ...this.#possible(),
      ].join("\n"),
    };
  }

  #possible(): string[] {
    if (this.#listed.length === 0) return [];
    const left = this.#possibleOptOuts - this.#listed.length;
    return [
      "",
      "Possible opt-outs, for a person to read:",
      ...this.#listed.map(({ line, text }) => `${String(line).padStart(7)}  ${printable(text)}`),
      ...(left > 0 ? [`         and ${left} more`] : []),
    ];
  }
}
