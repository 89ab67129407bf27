// A tree of words. Finds the longest phrase at the head of a text in as many steps as that phrase has words, no matter
// how many phrases the tree holds.

import { nextWord } from "../callback/words.js";

interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  value?: Value | undefined;
}

/** A phrase at the head of a text. */
export interface Hit<Value> {
  readonly value: Value;
  /** The offset in the text at which the phrase ends. */
  readonly end: number;
}

export class WordTree<Value> {
  readonly #root: Node<Value> = { children: new Map() };
  readonly #fold: (word: string) => string;

  /** @param fold - returns the form in which words are compared; words of a text with an empty form are skipped */
  constructor(fold: (word: string) => string) {
    this.#fold = fold;
  }

  get isEmpty(): boolean {
    return this.#root.children.size === 0;
  }

  /** Replaces the value of a phrase, given as folded words. If `change` returns `undefined`, the phrase is removed. */
  update(phrase: readonly string[], change: (value: Value | undefined) => Value | undefined): void {
    const path = [this.#root];
    let node = this.#root;
    for (const word of phrase) {
      const child: Node<Value> = node.children.get(word) ?? { children: new Map() };
      node.children.set(word, child);
      path.push(child);
      node = child;
    }
    node.value = change(node.value);
    for (let depth = phrase.length - 1; depth >= 0; depth--) {
      const child = path[depth + 1];
      if (child === undefined || child.value !== undefined || child.children.size > 0) return;
      path[depth]?.children.delete(phrase[depth] ?? "");
    }
  }

  /** Returns the longest phrase at `from` in the text, after any white space. */
  longestAt(text: string, from: number): Hit<Value> | undefined {
    let hit: Hit<Value> | undefined;
    let node: Node<Value> | undefined = this.#root;
    for (
      let word = nextWord(text, from);
      word !== undefined && node.children.size > 0;
      word = nextWord(text, word.end)
    ) {
      const folded = this.#fold(text.slice(word.start, word.end));
      if (folded === "") continue;
      node = node.children.get(folded);
      if (node === undefined) break;
      if (node.value !== undefined) hit = { value: node.value, end: word.end };
    }
    return hit;
  }

  /** Returns the value of a phrase, given as folded words. */
  get(phrase: readonly string[]): Value | undefined {
    let node: Node<Value> | undefined = this.#root;
    for (const word of phrase) node = node?.children.get(word);
    return node?.value;
  }
}
