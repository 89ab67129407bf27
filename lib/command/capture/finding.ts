// A finding of `capture`: says one thing about the provider, and whether it is proven.

import { printable } from "../printable.js";

export interface Finding {
  readonly about: string;
  /** `to do`: something that the user has to change, or to look at. */
  readonly state: "proven" | "not proven" | "to do";
  readonly says: string;
}

export const proven = (about: string, says: string): Finding => ({ about, state: "proven", says });
export const notProven = (about: string, says: string): Finding => ({ about, state: "not proven", says });
export const toDo = (about: string, says: string): Finding => ({ about, state: "to do", says });

/** A name that may be printed as it is; any other in quotes, and without what may be a number. */
export function shownName(name: string): string {
  if (/^[\w.[\]-]{1,40}$/.test(name) && !holdsNumber(name)) return name;
  return printable(JSON.stringify(name.slice(0, 40).replaceAll(/\d(?=\d*\d{4})/g, "…")));
}

/** Whether a text may hold somebody's number. */
export function holdsNumber(text: string): boolean {
  return /\d(?:[ ().-]?\d){6}/.test(text);
}
