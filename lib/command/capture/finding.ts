// A finding of `capture`: says one thing about the provider, and whether it is proven.

export interface Finding {
  readonly about: string;
  /** `to do`: something that the user has to change, or to look at. */
  readonly state: "proven" | "not proven" | "to do";
  readonly says: string;
}

export const proven = (about: string, says: string): Finding => ({ about, state: "proven", says });
export const notProven = (about: string, says: string): Finding => ({ about, state: "not proven", says });
export const toDo = (about: string, says: string): Finding => ({ about, state: "to do", says });

/** A name that may be printed as it is; any other in quotes. */
export function shownName(name: string): string {
  return /^[\w.[\]-]{1,40}$/.test(name) ? name : JSON.stringify(name.slice(0, 40));
}
