// Where a body may be cut: the places that look like what its template has between two values, whether they are that or were typed.

import { isPart } from "./fields.js";
import { escapeJson, type Template } from "./template.js";
import { isWhiteSpace } from "./words.js";

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
  /** The last place before `close` where white space stands; -1 where there is none. */
  readonly spaceBefore: number;
}

export interface Seams {
  readonly seams: readonly Seam[];
  /** The members that must stand in the body. */
  readonly required: Members;
}

const HEAD = /^[ \t\r\n]*\{[ \t\r\n]*"([^"]*)"[ \t\r\n]*:[ \t\r\n]*"/;
const SEAM = /"[ \t\r\n]*,[ \t\r\n]*"([^"]*)"[ \t\r\n]*:[ \t\r\n]*"/y;

/** Every seam of the body, in order; `undefined` where it does not begin and end as its template does. */
export function findSeams(template: Template, body: string): Seams | undefined {
  const known = new Known(template);
  const head = HEAD.exec(body);
  const first = head?.[1] === undefined ? undefined : known.get(head[1]);
  const tail = closingQuote(body);
  if (head === null || first === undefined || tail < head[0].length) return undefined;

  const seams: Seam[] = [{ close: -1, open: head[0].length, member: first, spaceBefore: -1 }];
  let spaceBefore = -1;
  let looked = head[0].length;
  const push = (close: number, open: number, member: KnownMember | undefined): void => {
    for (; looked < close; looked++) if (isWhiteSpace(body.charCodeAt(looked))) spaceBefore = looked;
    seams.push({ close, open, member, spaceBefore });
  };
  for (let quote = body.indexOf('"', head[0].length); quote < tail; quote = body.indexOf('"', quote + 1)) {
    SEAM.lastIndex = quote;
    const name = SEAM.exec(body)?.[1];
    const member = name === undefined ? undefined : known.get(name);
    if (member !== undefined && SEAM.lastIndex <= tail) push(quote, SEAM.lastIndex, member);
  }
  push(tail, body.length, undefined);
  return { seams, required: known.required };
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

/** The members that may stand in a body. */
class Known {
  readonly required: Members;
  readonly #admitsParts: boolean;
  readonly #members: Map<string, KnownMember>;

  constructor({ members, admitsParts }: Template) {
    this.#members = new Map();
    for (const { name, content } of members) {
      const bit = this.#nextBit();
      if ("literal" in content)
        this.#members.set(name, {
          name,
          bit,
          holds: "literal",
          literal: { value: content.literal, written: escapeJson(content.literal) },
        });
      else this.#members.set(name, { name, bit, holds: name === "message" ? "text" : isPart(name) ? "word" : "plain" });
    }
    this.required = this.#nextBit() - 1n;
    this.#admitsParts = admitsParts;
  }

  get(name: string): KnownMember | undefined {
    const member = this.#members.get(name);
    if (member !== undefined || !this.#admitsParts || !isPart(name)) return member;
    const part: KnownMember = { name, bit: this.#nextBit(), holds: "word" };
    this.#members.set(name, part);
    return part;
  }

  #nextBit(): Members {
    return 1n << BigInt(this.#members.size);
  }
}
