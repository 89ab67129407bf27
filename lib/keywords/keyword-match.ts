// What a matched keyword looks like to a handler.

import type { SmsMessage } from "../callback/message.js";

/** What handlers of a keyword get. */
export interface KeywordMatch {
  /** The keyword as it was registered; what matched, for a RegExp; as it was sent, where none is registered for it. */
  readonly keyword: string;
  /**
   * Where it was found: at the head of the text, at the head of what follows the callback's own keyword in the text (`rest`), or as the
   * callback's keyword (`field`).
   */
  readonly by: "text" | "rest" | "field";
  readonly message: SmsMessage;
  /** The parts after the keyword; all of them, where the text does not begin with it. */
  readonly args: readonly string[];
  /** The text after the keyword, as typed, without the white space between them; the whole text, where it does not begin with it. */
  readonly rest: string;
}
