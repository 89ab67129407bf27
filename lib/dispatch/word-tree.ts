// A tree of words: finds the longest of its phrases at the head of a text in as many steps as that phrase has words, however many
// phrases it holds.

import { nextWord, splitWords } from "../callback/words.js";

interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  value?: Value | undefined;
}

/** A phrase found at the head of a text. */
export interface Hit<Value> {
  readonly value: Value;
  /** Where the phrase ends in the text. */
  readonly end: number;
  /** How many words of the text it takes up, those that fold to nothing included. */
  readonly words: number;
}

export class WordTree<Value> {
  readonly #root: Node<Value> = { children: new Map() };
  readonly #fold: (word: string) => string;

  /** @param fold - the form in which words are compared; a word that it makes empty is passed over */
  constructor(fold: (word: string) => string) {
    this.#fold = fold;
  }

  get isEmpty(): boolean {
    return this.#root.children.size === 0;
  }

  /**
   * Sets the value of a phrase from the one it has; `undefined` takes the phrase out.
   *
   * @throws TypeError where the phrase holds no word
   */
  update(phrase: string, change: (value: Value | undefined) => Value | undefined): void {
    const path = this.#foldedWords(phrase);
    if (path.length === 0) throw new TypeError("A keyword needs at least one character that can be seen.");
    this.#update(this.#root, path, 0, change);
  }

  /** The longest phrase that the text begins with, from `from` on. */
  longestAt(text: string, from: number): Hit<Value> | undefined {
    let hit: Hit<Value> | undefined;
    let node: Node<Value> | undefined = this.#root;
    let words = 0;
    for (
      let word = nextWord(text, from);
      word !== undefined && node.children.size > 0;
      word = nextWord(text, word.end)
    ) {
      words++;
      const folded = this.#fold(text.slice(word.start, word.end));
      if (folded === "") continue;
      node = node.children.get(folded);
      if (node === undefined) break;
      if (node.value !== undefined) hit = { value: node.value, end: word.end, words };
    }
    return hit;
  }

  /** The value of the phrase that the text is, as a whole. */
  get(text: string): Value | undefined {
    let node: Node<Value> | undefined = this.#root;
    for (const word of this.#foldedWords(text)) node = node?.children.get(word);
    return node?.value;
  }

  #foldedWords(phrase: string): string[] {
    return splitWords(phrase)
      .map(this.#fold)
      .filter((word) => word !== "");
  }

  #update(
    node: Node<Value>,
    path: readonly string[],
    depth: number,
    change: (value: Value | undefined) => Value | undefined,
  ): void {
    const word = path[depth];
    if (word === undefined) {
      node.value = change(node.value);
      return;
    }
    const child: Node<Value> = node.children.get(word) ?? { children: new Map() };
    this.#update(child, path, depth + 1, change);
    if (child.value !== undefined || child.children.size > 0) node.children.set(word, child);
    else node.children.delete(word);
  }
}
