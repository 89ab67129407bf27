// Where a body may be cut: the places that look like what its template has between two values, whether they are that or were typed.

import { isPart } from "../fields.js";
import { isWhiteSpace } from "../words.js";
import { escapeJson, MOST_PARTS, type Template } from "./template.js";

/** A set of members: a bit each. */
export type Members = bigint;

export const NO_MEMBERS: Members = 0n;

/** A member of the template, and what its value is known to be. */
interface KnownMember {
  readonly name: string;
  readonly bit: Members;
  /** `text` is anything, `word` anything without white space, `plain` anything without a quote, `literal` what the template says. */
  readonly holds: "text" | "word" | "plain" | "literal";
  /** What a literal stands for, and how it stands in a body. */
  readonly literal?: { readonly value: string; readonly written: string };
}

/** `","name":"` with any white space around its marks; the first begins with `{` in place of `",`, and the last is `"}`. */
export interface Seam {
  /** Where the quote stands that closes the value before it; -1 at the first. */
  readonly close: number;
  /** Where the value behind it begins; the body's length at the last. */
  readonly open: number;
  /** Whose value that is; `undefined` at the last. */
  readonly member: KnownMember | undefined;
}

const HEAD = /^[ \t\r\n]*\{[ \t\r\n]*"([^"]*)"[ \t\r\n]*:[ \t\r\n]*"/;
const SEAM = /"[ \t\r\n]*,[ \t\r\n]*"([^"]*)"[ \t\r\n]*:[ \t\r\n]*"/y;
const MAY_FOLLOW: ReadonlySet<number> = new Set(Array.from(", \t\r\n", (mark) => mark.charCodeAt(0)));

/**
 * Every seam of the body, in order. `none`: it does not begin and end as its template does. `several`: it holds so many names of parts that most of
 * them must have been typed.
 */
export function findSeams(known: KnownMembers, body: string): readonly Seam[] | "none" | "several" {
  const memberOf = known.forOneBody();
  const head = HEAD.exec(body);
  const first = head?.[1] === undefined ? undefined : memberOf(head[1]);
  const tail = closingQuote(body);
  if (head === null || first === undefined || first === "too many" || tail < head[0].length) return "none";

  const seams: Seam[] = [{ close: -1, open: head[0].length, member: first }];
  for (let quote = body.indexOf('"', head[0].length); quote < tail; quote = body.indexOf('"', quote + 1)) {
    // Nearly every quote is followed by neither: a look is cheaper than a match.
    if (!MAY_FOLLOW.has(body.charCodeAt(quote + 1))) continue;
    SEAM.lastIndex = quote;
    const name = SEAM.exec(body)?.[1];
    const member = name === undefined ? undefined : memberOf(name);
    if (member === "too many") return "several";
    if (member !== undefined && SEAM.lastIndex <= tail) {
      seams.push({ close: quote, open: SEAM.lastIndex, member });
    }
  }
  seams.push({ close: tail, open: body.length, member: undefined });
  return seams;
}

/** For each seam, the last place before it where white space stands; -1 where there is none. */
export function spacesBefore(seams: readonly Seam[], body: string): readonly number[] {
  let last = -1;
  let looked = 0;
  return seams.map(({ close }) => {
    for (; looked < close; looked++) if (isWhiteSpace(body.charCodeAt(looked))) last = looked;
    return last;
  });
}

/** Where the quote stands that closes the last value; -1 where the body does not end in `"}`. */
function closingQuote(body: string): number {
  const brace = lastVisible(body, body.length);
  const quote = lastVisible(body, brace);
  return body[brace] === "}" && body[quote] === '"' ? quote : -1;
}

function lastVisible(body: string, before: number): number {
  let at = before - 1;
  while (at >= 0 && " \t\r\n".includes(body.charAt(at))) at--;
  return at;
}

/** The members of a template. */
export class KnownMembers {
  /** Those that must stand in a body. */
  readonly required: Members;
  readonly #admitsParts: boolean;
  readonly #members = new Map<string, KnownMember>();

  constructor({ members, admitsParts }: Template) {
    for (const [index, { name, content }] of members.entries()) {
      const bit = bitOf(index);
      if ("literal" in content) {
        const literal = { value: content.literal, written: escapeJson(content.literal) };
        this.#members.set(name, { name, bit, holds: "literal", literal });
      } else {
        this.#members.set(name, { name, bit, holds: name === "message" ? "text" : isPart(name) ? "word" : "plain" });
      }
    }
    this.required = bitOf(members.length) - 1n;
    this.#admitsParts = admitsParts;
  }

  /** Tells which member a name in a body is; parts that are admitted get theirs as they come, up to as many as a profile may ask for. */
  forOneBody(): (name: string) => KnownMember | "too many" | undefined {
    const parts = new Map<string, KnownMember>();
    return (name) => {
      const known = this.#members.get(name) ?? parts.get(name);
      if (known !== undefined || !this.#admitsParts || !isPart(name)) return known;
      if (parts.size > MOST_PARTS) return "too many";
      const part: KnownMember = { name, bit: bitOf(this.#members.size + parts.size), holds: "word" };
      parts.set(name, part);
      return part;
    };
  }
}

function bitOf(index: number): Members {
  return 1n << BigInt(index);
}
