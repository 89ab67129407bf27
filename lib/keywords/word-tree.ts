// A tree of words: finds the longest of its phrases at the head of a text in as many steps as that phrase has words, however many
// phrases it holds.

import { nextWord } from "../callback/words.js";

interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  value?: Value | undefined;
}

/** A phrase found at the head of a text. */
export interface Hit<Value> {
  readonly value: Value;
  /** Where the phrase ends in the text. */
  readonly end: number;
}

export class WordTree<Value> {
  readonly #root: Node<Value> = { children: new Map() };
  readonly #fold: (word: string) => string;

  /** @param fold - the form in which words are compared; a word of a text that it makes empty is passed over */
  constructor(fold: (word: string) => string) {
    this.#fold = fold;
  }

  get isEmpty(): boolean {
    return this.#root.children.size === 0;
  }

  /** Sets the value of a phrase, given as folded words, from the one it has; `undefined` takes the phrase out. */
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

  /** The longest phrase that the text begins with, from `from` on. */
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

  /** The value of a phrase, given as folded words. */
  get(phrase: readonly string[]): Value | undefined {
    let node: Node<Value> | undefined = this.#root;
    for (const word of phrase) node = node?.children.get(word);
    return node?.value;
  }
}
