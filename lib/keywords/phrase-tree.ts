// A tree of phrases, word by word. Finds the longest phrase at a place of a text in as many steps as that phrase has
// words, no matter how many phrases the tree holds.

import { isSameButAccents } from "./accents.js";
import type { FoldedWord } from "./fold.js";
import type { TypedText } from "./typed-text.js";

interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  /** The same, together with those that differ only in accents. */
  readonly alike: Map<string, ReadonlyArray<Alike<Value>>>;
  value?: Value | undefined;
  /** The place of the phrase in the order of registration. */
  order: number;
}

interface Alike<Value> {
  readonly word: string;
  readonly node: Node<Value>;
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
  #registered = 0;

  get isEmpty(): boolean {
    return this.#root.children.size === 0;
  }

  /** Replaces the value of a phrase. If `change` returns `undefined`, the phrase is removed. */
  update(phrase: readonly FoldedWord[], change: (value: Value | undefined) => Value | undefined): void {
    const path = [this.#root];
    let node = this.#root;
    for (const word of phrase) {
      node = node.children.get(keyOf(word.word, word.glue)) ?? addChild(node, word);
      path.push(node);
    }
    if (node.value === undefined) node.order = this.#registered++;
    node.value = change(node.value);
    for (let depth = phrase.length - 1; depth >= 0; depth--) {
      const [parent, child, word] = [path[depth], path[depth + 1], phrase[depth]];
      if (parent === undefined || child === undefined || word === undefined) return;
      if (child.value !== undefined || child.children.size > 0) return;
      removeChild(parent, word);
    }
  }

  /**
   * Returns the longest phrase that begins with the next word at or after `from`; of several, the first registered.
   *
   * @param accept - returns what to find for a value, or `undefined` if the phrase does not count there
   */
  longestAt<Found>(
    text: TypedText,
    from: number,
    closeness: Closeness,
    accept: (value: Value, end: number) => Found | undefined,
  ): Hit<Found> | undefined {
    const bestBelow = (node: Node<Value>, at: number): OrderedHit<Found> | undefined => {
      if (node.children.size === 0) return undefined;
      const typed = text.wordAfter(at);
      if (typed === undefined) return undefined;
      let best: OrderedHit<Found> | undefined;
      for (const child of childrenOf(node, typed, closeness)) {
        const hit = bestBelow(child, typed.end) ?? hitOf(child, typed.end, accept);
        if (hit !== undefined && (best === undefined || isBetter(hit, best, closeness))) best = hit;
      }
      return best;
    };
    return bestBelow(this.#root, from);
  }

  /** Returns the value of a phrase; of several, that of the first registered. */
  get(phrase: readonly FoldedWord[], closeness: Closeness): Value | undefined {
    let nodes: ReadonlyArray<Node<Value>> = [this.#root];
    for (const word of phrase) {
      const [only, ...others] = nodes;
      if (only === undefined) return undefined;
      nodes =
        others.length === 0
          ? childrenOf(only, word, closeness)
          : nodes.flatMap((node) => childrenOf(node, word, closeness));
    }
    const found = nodes.filter(({ value }) => value !== undefined);
    return found.sort((one, other) => one.order - other.order)[0]?.value;
  }
}

interface OrderedHit<Found> extends Hit<Found> {
  readonly order: number;
}

/** Of two that are typed as registered and equally long, the first has the marks that were typed. */
function isBetter(hit: OrderedHit<unknown>, best: OrderedHit<unknown>, closeness: Closeness): boolean {
  return hit.end === best.end ? closeness === "folded" && hit.order < best.order : hit.end > best.end;
}

function hitOf<Value, Found>(
  { value, order }: Node<Value>,
  end: number,
  accept: (value: Value, end: number) => Found | undefined,
): OrderedHit<Found> | undefined {
  const found = value === undefined ? undefined : accept(value, end);
  return found === undefined ? undefined : { value: found, end, order };
}

function newNode<Value>(): Node<Value> {
  return { children: new Map(), alike: new Map(), order: 0 };
}

/** Folded words have no control characters. */
function keyOf(word: string, glue: string): string {
  return glue === "" ? word : `${glue}\0${word}`;
}

function addChild<Value>(parent: Node<Value>, { word, bare, glue }: FoldedWord): Node<Value> {
  const node: Node<Value> = newNode();
  parent.children.set(keyOf(word, glue), node);
  const key = keyOf(bare, glue);
  parent.alike.set(key, [...(parent.alike.get(key) ?? []), { word, node }]);
  return node;
}

function removeChild<Value>(parent: Node<Value>, { word, bare, glue }: FoldedWord): void {
  parent.children.delete(keyOf(word, glue));
  const key = keyOf(bare, glue);
  const rest = parent.alike.get(key)?.filter((one) => one.word !== word) ?? [];
  if (rest.length === 0) parent.alike.delete(key);
  else parent.alike.set(key, rest);
}

/** A word that marks join to the one before also counts as a word of its own: `VOTE*3` is `VOTE 3`, too. */
function childrenOf<Value>(node: Node<Value>, word: FoldedWord, closeness: Closeness): ReadonlyArray<Node<Value>> {
  const found: Array<Node<Value>> = [];
  addChildren(found, node, word, word.glue, closeness);
  if (word.glue !== "") addChildren(found, node, word, "", closeness);
  return found;
}

function addChildren<Value>(
  found: Array<Node<Value>>,
  node: Node<Value>,
  typed: FoldedWord,
  glue: string,
  closeness: Closeness,
): void {
  if (closeness === "typed") {
    const child = node.children.get(keyOf(typed.word, glue));
    if (child !== undefined) found.push(child);
    return;
  }
  for (const one of node.alike.get(keyOf(typed.bare, glue)) ?? []) {
    if (isSameButAccents(one.word, typed.word)) found.push(one.node);
  }
}
