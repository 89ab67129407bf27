// Finds the places at which a body may be cut: they look like the template between two values, but may have been typed.

import { isPart } from "../fields.js";
import { isWhiteSpace } from "../words.js";
import { escapeJson, MOST_PARTS, type Template } from "./template.js";

/** A set of members, one bit each. */
export type Members = bigint;

export const NO_MEMBERS: Members = 0n;

/** A member of the template, and what is known about its value. */
interface KnownMember {
  readonly name: string;
  readonly bit: Members;
  /** `text`: anything. `word`: no white space. `plain`: no quotes. `literal`: exactly the text in the template. */
  readonly holds: "text" | "word" | "plain" | "literal";
  /** The value of a literal, and its escaped form in a body. */
  readonly literal?: { readonly value: string; readonly written: string };
}

/** `","name":"` with any white space around its marks. The first seam has `{` instead of `",`; the last one is `"}`. */
export interface Seam {
  /** The offset of the quote that closes the value before it; -1 at the first seam. */
  readonly close: number;
  /** The offset at which the value after it begins; the body's length at the last seam. */
  readonly open: number;
  /** The member of the value after it; `undefined` at the last seam. */
  readonly member: KnownMember | undefined;
}

const HEAD = /^[ \t\r\n]*\{[ \t\r\n]*"([^"]*)"[ \t\r\n]*:[ \t\r\n]*"/;
const SEAM = /"[ \t\r\n]*,[ \t\r\n]*"([^"]*)"[ \t\r\n]*:[ \t\r\n]*"/y;
const MAY_FOLLOW: ReadonlySet<number> = new Set(Array.from(", \t\r\n", (mark) => mark.charCodeAt(0)));

/**
 * Returns every seam of the body, in order. `none`: the body does not begin and end like its template. `several`: it
 * has so many names of parts that most of them must have been typed.
 */
export function findSeams(known: KnownMembers, body: string): readonly Seam[] | "none" | "several" {
  const memberOf = known.createLookup();
  const head = HEAD.exec(body);
  const first = head?.[1] === undefined ? undefined : memberOf(head[1]);
  const tail = closingQuote(body);
  if (head === null || first === undefined || first === "too many" || tail < head[0].length) return "none";

  const seams: Seam[] = [{ close: -1, open: head[0].length, member: first }];
  for (let quote = body.indexOf('"', head[0].length); quote < tail; quote = body.indexOf('"', quote + 1)) {
    // Few quotes are followed by a comma or white space, and this check is cheaper than a match.
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

/** Returns the offset of the last white space before each seam; -1 if there is none. */
export function spacesBefore(seams: readonly Seam[], body: string): readonly number[] {
  let last = -1;
  let at = 0;
  return seams.map(({ close }) => {
    for (; at < close; at++) if (isWhiteSpace(body.charCodeAt(at))) last = at;
    return last;
  });
}

/** The offset of the quote that closes the last value; -1 if the body does not end in `"}`. */
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
  /** The members that a body must have. */
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

  /**
   * Returns the function that finds the member of a name in one body. Parts that are only admitted become members when
   * they first occur, up to as many as a profile may request.
   */
  createLookup(): (name: string) => KnownMember | "too many" | undefined {
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
