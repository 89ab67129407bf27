// What the process with the user's module reports to the command: a line of JSON each.

import type { FailureDetails } from "../failure.js";
import type { Tried } from "./tried.js";

/** What is tried, beside the texts. */
export interface Asked {
  readonly file: string;
  readonly keyword: string | undefined;
  readonly recipient: string | undefined;
}

export type Report =
  | { readonly note: string }
  | { readonly tried: Tried }
  | { readonly failure: FailureDetails }
  /** All texts were tried. */
  | { readonly isDone: true };

/** Where the process writes its reports. */
export const REPORTS_FD = 3;
/** Ends when the command has ended. */
export const LIFELINE_FD = 4;
