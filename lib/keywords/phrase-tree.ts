// A tree of phrases, word by word. Finds the longest phrase at a place of a text in as many steps as that phrase has
// words, no matter how many phrases the tree holds.

import { isSameButAccents, withoutAccents } from "./accents.js";
import { folded, type FoldedWord } from "./fold.js";
import { typedWordAfter } from "./typed-words.js";

interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  /** The words of `children` that differ only in accents, in order of registration. */
  readonly alike: Map<string, FoldedWord[]>;
  value?: Value | undefined;
}

/** A phrase in a text. */
export interface Hit<Value> {
  readonly value: Value;
  /** The offset in the text at which the phrase ends. */
  readonly end: number;
}

/** `typed`: only phrases that are typed as registered. `folded`: also those that lack an accent. */
export type Closeness = "typed" | "folded";

export class PhraseTree<Value> {
  readonly #root: Node<Value> = newNode();

  get isEmpty(): boolean {
    return this.#root.children.size === 0;
  }

  /** Replaces the value of a phrase. If `change` returns `undefined`, the phrase is removed. */
  update(phrase: readonly FoldedWord[], change: (value: Value | undefined) => Value | undefined): void {
    const path = [this.#root];
    let node = this.#root;
    for (const word of phrase) {
      node = node.children.get(keyOf(word)) ?? addChild(node, word);
      path.push(node);
    }
    node.value = change(node.value);
    for (let depth = phrase.length - 1; depth >= 0; depth--) {
      const [parent, child, word] = [path[depth], path[depth + 1], phrase[depth]];
      if (parent === undefined || child === undefined || word === undefined) return;
      if (child.value !== undefined || child.children.size > 0) return;
      removeChild(parent, word);
    }
  }

  /**
   * Returns the longest phrase that begins with the next word at or after `from`.
   *
   * @param accept - returns what to find for a value, or `undefined` if the phrase does not count there
   */
  longestAt<Found>(
    text: string,
    from: number,
    closeness: Closeness,
    accept: (value: Value, end: number) => Found | undefined,
  ): Hit<Found> | undefined {
    const longestBelow = (node: Node<Value>, at: number): Hit<Found> | undefined => {
      if (node.children.size === 0) return undefined;
      const typed = typedWordAfter(text, at);
      if (typed === undefined) return undefined;
      const { end } = typed;
      let longest: Hit<Found> | undefined;
      for (const child of childrenOf(node, folded(text, typed), closeness)) {
        const hit = longestBelow(child, end) ?? hitOf(child.value, end, accept);
        if (hit !== undefined && hit.end > (longest?.end ?? 0)) longest = hit;
      }
      return longest;
    };
    return longestBelow(this.#root, from);
  }

  /** Returns the value of a phrase. */
  get(phrase: readonly FoldedWord[], closeness: Closeness): Value | undefined {
    let nodes: ReadonlyArray<Node<Value>> = [this.#root];
    for (const word of phrase) nodes = nodes.flatMap((node) => childrenOf(node, word, closeness));
    return nodes.find(({ value }) => value !== undefined)?.value;
  }
}

function hitOf<Value, Found>(
  value: Value | undefined,
  end: number,
  accept: (value: Value, end: number) => Found | undefined,
): Hit<Found> | undefined {
  const found = value === undefined ? undefined : accept(value, end);
  return found === undefined ? undefined : { value: found, end };
}

function newNode<Value>(): Node<Value> {
  return { children: new Map(), alike: new Map() };
}

/** Folded words have no control characters. */
function keyOf({ word, glue }: FoldedWord): string {
  return glue === "" ? word : `${glue}\0${word}`;
}

function addChild<Value>(parent: Node<Value>, word: FoldedWord): Node<Value> {
  const child: Node<Value> = newNode();
  parent.children.set(keyOf(word), child);
  const key = alikeKeyOf(word);
  parent.alike.set(key, [...(parent.alike.get(key) ?? []), word]);
  return child;
}

function removeChild<Value>(parent: Node<Value>, word: FoldedWord): void {
  const key = keyOf(word);
  parent.children.delete(key);
  const rest = parent.alike.get(alikeKeyOf(word))?.filter((one) => keyOf(one) !== key) ?? [];
  if (rest.length === 0) parent.alike.delete(alikeKeyOf(word));
  else parent.alike.set(alikeKeyOf(word), rest);
}

function alikeKeyOf({ word, glue }: FoldedWord): string {
  return keyOf({ word: withoutAccents(word), glue });
}

/** A word that marks join to the one before also counts as a word of its own: `VOTE*3` is `VOTE 3`, too. */
function childrenOf<Value>(node: Node<Value>, typed: FoldedWord, closeness: Closeness): ReadonlyArray<Node<Value>> {
  const words = typed.glue === "" ? [typed] : [typed, { word: typed.word, glue: "" }];
  const same = closeness === "typed" ? words : words.flatMap((word) => alikeTo(node, word));
  return same.map((word) => node.children.get(keyOf(word))).filter((child) => child !== undefined);
}

function alikeTo<Value>(node: Node<Value>, typed: FoldedWord): readonly FoldedWord[] {
  return (node.alike.get(alikeKeyOf(typed)) ?? []).filter(({ word }) => isSameButAccents(word, typed.word));
}
