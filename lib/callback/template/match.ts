// Reads a body back by its template, whatever the subscriber typed: counts the ways to cut the body into values, and
// returns the values if there is exactly one way.
//
// Between two values of a body is a seam, `","name":"`. A text can contain seams, too, by chance or on purpose. A value
// without quotes ends at the next quote. So each seam is followed by a run of values that are certain. A run ends at
// the end of the body, or at a value that may contain quotes: the message or a part. The end of such a value is the
// only choice. Choices that have used the same members form one case, however many they are. Each case takes one walk
// along the seams.

import { findSeams, KnownMembers, NO_MEMBERS, spacesBefore, type Members, type Seam } from "./seams.js";
import type { Template } from "./template.js";

export type TemplateMatch =
  | { readonly values: ReadonlyArray<readonly [name: string, value: string]> }
  /** Why there are no values: no way to cut the body fits the template, or several do. */
  | { readonly fits: "none" | "several" };

/** The certain values after a seam, up to the next choice. Each of their members occurs once. */
interface Run {
  readonly used: Members;
  readonly count: number;
  /** The index of the seam after the first value of the run; of the seam before the run if the run is empty. */
  readonly next: number;
  /** The index of the seam after the run: a value that may contain quotes begins there, or it is the last seam. */
  readonly end: number;
}

/** A seam at which a value that may contain quotes begins. */
interface Beginning {
  readonly seam: number;
  /** The number of ways that lead here. All numbers from 2 mean the same: several. */
  ways: number;
  /** The choice that leads here; one of them if there are several. */
  readonly by: Choice | undefined;
}

/** A value that may contain quotes, and the index of the seam at which it ends. */
interface Choice {
  readonly beginning: Beginning;
  readonly end: number;
}

/** All beginnings with the same used members. The member that begins counts as used. */
interface Case {
  readonly used: Members;
  readonly count: number;
  readonly beginnings: Map<number, Beginning>;
}

/**
 * The limit of steps for a body: a few for each seam, and a base that is enough for every body with few seams. Only a
 * body that is made of the template's literals exceeds it. It is rejected as ambiguous.
 */
const STEPS_PER_SEAM = 8;
const BASE_STEPS = 15_000;
/** The steps of a case besides its walk. */
const STEPS_PER_CASE = 4;

/** Creates the function that reads bodies by a template. It runs in linear time, whatever the content of a body. */
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
  /** Found on demand: only parts need it, and most bodies have no parts. */
  let spaces: readonly number[] | undefined;
  const spaceBefore = (seam: number): number => (spaces ??= spacesBefore(seams, body))[seam] ?? -1;
  let ways = 0;
  let lastChoice: Choice | undefined;

  /** Follows the run after a seam; `before` has the members that are already used. */
  const follow = (before: Pick<Case, "used" | "count">, seam: number, waysHere: number, choice?: Choice): void => {
    const run = runs[seam];
    if (run === undefined || (run.used & before.used) !== NO_MEMBERS) return;
    const used = before.used | run.used;
    const member = seams[run.end]?.member;
    if (member === undefined) {
      if ((required & ~used) !== NO_MEMBERS) return;
      ways += waysHere;
      lastChoice = choice;
    } else if (
      (used & member.bit) === NO_MEMBERS &&
      (required & ~used & ~member.bit & ~ahead(run.end)) === NO_MEMBERS
    ) {
      cases.add(used | member.bit, before.count + run.count + 1, { seam: run.end, ways: waysHere, by: choice });
    }
  };

  follow({ used: NO_MEMBERS, count: 0 }, 0, 1);
  let stepsLeft = BASE_STEPS + STEPS_PER_SEAM * seams.length;
  while (ways < 2) {
    const one = cases.next();
    if (one === undefined) break;
    if (stepsLeft < 0) return { fits: "several" };
    stepsLeft -= STEPS_PER_CASE;
    stepsLeft -= forEachEnd(one, seams, spaceBefore, (end, waysHere, beginning) =>
      follow(one, end, waysHere, { beginning, end }),
    );
  }
  if (ways !== 1) return { fits: ways === 0 ? "none" : "several" };
  return { values: cut(body, seams, runs, lastChoice) };
}

/** Finds the run after each seam; `undefined` if a value does not fit its member, or a member would occur twice. */
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

/** Finds, for each seam, the required members that occur at later seams. */
function requiredAhead(seams: readonly Seam[], required: Members): (seam: number) => Members {
  const ahead = new Array<Members>(seams.length);
  let later = NO_MEMBERS;
  for (let index = seams.length - 1; index >= 0; index--) {
    ahead[index] = later;
    later |= (seams[index]?.member?.bit ?? NO_MEMBERS) & required;
  }
  return (seam) => ahead[seam] ?? NO_MEMBERS;
}

/** The open cases, ordered by their number of used members: a case only leads to later ones. */
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

  /** Removes and returns the next case. It is complete: nothing is added to it afterwards. */
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

/**
 * Visits every seam at which a value of the case can end. `visit` gets one such value and the number of ways.
 *
 * @returns the number of seams that were passed
 */
function forEachEnd(
  { beginnings }: Case,
  seams: readonly Seam[],
  spaceBefore: (seam: number) => number,
  visit: (end: number, ways: number, beginning: Beginning) => void,
): number {
  const inOrder = [...beginnings.values()].sort((a, b) => a.seam - b.seam);
  const from = inOrder[0]?.seam ?? seams.length;
  let begun = 0;
  /** How many of the words are over, because white space followed. A text does not end at white space. */
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

/** Cuts the body at the choices, and returns its values in order. */
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
