// Reads a body back by its template, whatever the subscriber typed: finds out how many ways of cutting the body fit, and takes the
// values where it is one.
//
// Between two values of a body stands a seam, `","name":"`, and a text may hold seams too, by chance or by intent. A value that holds no quote
// ends at the next one, so that behind each seam there is a run of values that are known, up to the end of the body or to a
// value that may hold quotes: the message, or a part. Only where one of those ends is there a choice. All choices that have used up the
// same members are one case, however many they are, and a case takes one walk along the seams.

import { findSeams, KnownMembers, NO_MEMBERS, spacesBefore, type Members, type Seam } from "./seams.js";
import type { Template } from "./template.js";

export type TemplateMatch =
  | { readonly values: ReadonlyArray<readonly [name: string, value: string]> }
  /** Why there are no values: no way of cutting the body fits, or several do. */
  | { readonly fits: "none" | "several" };

/** What stands behind a seam up to the next choice: members that are each there once. */
interface Run {
  readonly used: Members;
  readonly count: number;
  /** The index of the seam behind the first of its values; of this seam, where it has none. */
  readonly next: number;
  /** The index of the seam behind the last of its values: where a value that may hold quotes begins, or the last of all. */
  readonly end: number;
}

/** A value that may hold quotes, begun at a seam. */
interface Beginning {
  readonly seam: number;
  /** In how many ways it can be reached; from 2 on it does not matter how many. */
  ways: number;
  /** The choice that leads to it; one of them, where there are several. */
  readonly by: Choice | undefined;
}

/** That a value which may hold quotes ends at the seam of that index. */
interface Choice {
  readonly beginning: Beginning;
  readonly end: number;
}

/** All beginnings at which the same members are used up, the one that begins included. */
interface Case {
  readonly used: Members;
  readonly count: number;
  readonly beginnings: Map<number, Beginning>;
}

/**
 * How many steps a body may take: a few for each of its seams, and enough for every body that has few. One that takes more is refused as
 * ambiguous; it is made of the template's literals.
 */
const STEPS_A_SEAM = 8;
const STEPS_AT_LEAST = 15_000;
/** What a case takes beside its walk. */
const STEPS_A_CASE = 4;

/** Makes the function that reads bodies of a template. It takes time in proportion to a body's length, whatever the body holds. */
export function createMatchTemplate(template: Template): (body: string) => TemplateMatch {
  const known = new KnownMembers(template);
  return (body) => match(known, body);
}

function match(known: KnownMembers, body: string): TemplateMatch {
  const seams = findSeams(known, body);
  if (typeof seams === "string") return { fits: seams };
  const { required } = known;
  const runs = findRuns(body, seams);
  const ahead = requiredAhead(seams, required);
  const cases = new Cases();
  /** Only a part asks for white space, and most bodies have none. */
  let spaces: readonly number[] | undefined;
  const spaceBefore = (seam: number): number => (spaces ??= spacesBefore(seams, body))[seam] ?? -1;
  let ways = 0;
  let lastChoice: Choice | undefined;

  /** Follows the run behind a seam, from where other members are used up. */
  const follow = (before: Pick<Case, "used" | "count">, seam: number, more: number, choice?: Choice): void => {
    const run = runs[seam];
    if (run === undefined || (run.used & before.used) !== NO_MEMBERS) return;
    const used = before.used | run.used;
    const begins = seams[run.end]?.member;
    if (begins === undefined) {
      if ((required & ~used) !== NO_MEMBERS) return;
      ways += more;
      lastChoice = choice;
    } else if (
      (used & begins.bit) === NO_MEMBERS &&
      (required & ~used & ~begins.bit & ~ahead(run.end)) === NO_MEMBERS
    ) {
      cases.add(used | begins.bit, before.count + run.count + 1, { seam: run.end, ways: more, by: choice });
    }
  };

  follow({ used: NO_MEMBERS, count: 0 }, 0, 1);
  let left = STEPS_AT_LEAST + STEPS_A_SEAM * seams.length;
  while (ways < 2) {
    const one = cases.next();
    if (one === undefined) break;
    if (left < 0) return { fits: "several" };
    left -= STEPS_A_CASE;
    left -= forEachEnd(one, seams, spaceBefore, (end, more, beginning) => follow(one, end, more, { beginning, end }));
  }
  if (ways !== 1) return { fits: ways === 0 ? "none" : "several" };
  return { values: cut(body, seams, runs, lastChoice) };
}

/** The run behind each seam; none where a value does not end as it must, or a member would stand twice. */
function findRuns(body: string, seams: readonly Seam[]): ReadonlyArray<Run | undefined> {
  const closedAt = new Map(seams.map(({ close }, index) => [close, index]));
  const runs = new Array<Run | undefined>(seams.length);
  for (let index = seams.length - 1; index >= 0; index--) {
    const { open = 0, member } = seams[index] ?? {};
    if (member === undefined || member.holds === "text" || member.holds === "word") {
      runs[index] = { used: NO_MEMBERS, count: 0, next: index, end: index };
      continue;
    }
    const written = member.literal?.written;
    if (written !== undefined && !body.startsWith(written, open)) continue;
    const next = closedAt.get(written === undefined ? body.indexOf('"', open) : open + written.length);
    const rest = next === undefined ? undefined : runs[next];
    if (next === undefined || rest === undefined || (rest.used & member.bit) !== NO_MEMBERS) continue;
    runs[index] = { used: rest.used | member.bit, count: rest.count + 1, next, end: rest.end };
  }
  return runs;
}

/** Tells which required members still come behind a seam. */
function requiredAhead(seams: readonly Seam[], required: Members): (seam: number) => Members {
  const ahead = new Array<Members>(seams.length);
  let behind = NO_MEMBERS;
  for (let index = seams.length - 1; index >= 0; index--) {
    ahead[index] = behind;
    behind |= (seams[index]?.member?.bit ?? NO_MEMBERS) & required;
  }
  return (seam) => ahead[seam] ?? NO_MEMBERS;
}

/** The cases that are known, in the order of how many members they have used up: no case leads to one that came before. */
class Cases {
  readonly #byCount: Array<Map<Members, Case>> = [];
  #count = 0;

  add(used: Members, count: number, beginning: Beginning): void {
    const cases = (this.#byCount[count] ??= new Map<Members, Case>());
    const known = cases.get(used);
    if (known === undefined) {
      cases.set(used, { used, count, beginnings: new Map([[beginning.seam, beginning]]) });
      return;
    }
    const same = known.beginnings.get(beginning.seam);
    if (same === undefined) known.beginnings.set(beginning.seam, beginning);
    else same.ways += beginning.ways;
  }

  /** Takes out a case; none is added to it afterwards. */
  next(): Case | undefined {
    for (; this.#count < this.#byCount.length; this.#count++) {
      const cases = this.#byCount[this.#count];
      const [first] = cases?.values() ?? [];
      if (first === undefined) continue;
      cases?.delete(first.used);
      return first;
    }
    return undefined;
  }
}

/** Visits every seam at which one of the case's values can end, with one of them, and in how many ways that is; gives how many seams it passed. */
function forEachEnd(
  { beginnings }: Case,
  seams: readonly Seam[],
  spaceBefore: (seam: number) => number,
  visit: (end: number, ways: number, beginning: Beginning) => void,
): number {
  const inOrder = [...beginnings.values()].sort((a, b) => a.seam - b.seam);
  const from = inOrder[0]?.seam ?? seams.length;
  let begun = 0;
  /** How many of those that have begun are over, because white space came: a word ends there, a text does not. */
  let over = 0;
  let text: Beginning | undefined;
  const words: Array<readonly [open: number, word: Beginning]> = [];
  let ways = 0;
  let end = from + 1;
  for (; end < seams.length; end++) {
    const { close = 0 } = seams[end] ?? {};
    for (let next = inOrder[begun]; next !== undefined; next = inOrder[++begun]) {
      const { open = 0, member } = seams[next.seam] ?? {};
      if (open > close) break;
      if (member?.holds === "text") text = next;
      else words.push([open, next]);
      ways += next.ways;
    }
    for (let first = words[over]; first !== undefined && first[0] <= spaceBefore(end); first = words[++over]) {
      ways -= first[1].ways;
    }
    const beginning = text ?? words[over]?.[1];
    if (beginning !== undefined) visit(end, Math.min(ways, 2), beginning);
    else if (begun === inOrder.length) break;
  }
  return end - from;
}

/** The values of the body in their order, where the choices are known. */
function cut(
  body: string,
  seams: readonly Seam[],
  runs: ReadonlyArray<Run | undefined>,
  lastChoice: Choice | undefined,
): Array<readonly [name: string, value: string]> {
  const chosen = new Map<number, number>();
  for (let choice = lastChoice; choice !== undefined; choice = choice.beginning.by) {
    chosen.set(choice.beginning.seam, choice.end);
  }
  const values: Array<readonly [string, string]> = [];
  let at = 0;
  for (let seam = seams[at]; seam?.member !== undefined; seam = seams[at]) {
    at = chosen.get(at) ?? runs[at]?.next ?? seams.length;
    values.push([seam.member.name, seam.member.literal?.value ?? body.slice(seam.open, seams[at]?.close)]);
  }
  return values;
}
