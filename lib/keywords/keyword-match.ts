// The match of a keyword, as handlers get it.

import type { SmsMessage } from "../callback/message.js";

/** A matched keyword. Handlers of `keyword` events and of `sms.keyword` get it. */
export interface KeywordMatch {
  /**
   * The keyword as registered, or the word of a list such as `OPT_OUT`; for a RegExp, the text that it matched. If it
   * is not registered, the keyword as sent.
   */
  readonly keyword: string;
  /**
   * Where it was found. `text`: at the head of the text. `rest`: in the text, after the callback's own keyword.
   * `field`: as the callback's own keyword.
   */
  readonly by: "text" | "rest" | "field";
  /** The message in which it was found. */
  readonly message: SmsMessage;
  /** The words of `rest`; all parts if the text does not begin with the keyword. */
  readonly args: readonly string[];
  /**
   * The text after the keyword, the marks that touch it and the white space that follows: `3` in `VOTE*3`, `-5` in
   * `TEMP -5`. From there on it is as typed. The whole text if it does not begin with the keyword.
   */
  readonly rest: string;
  /** The groups of a RegExp in order: `captures[0]` is the first, `undefined` if it had no part. Empty for a string. */
  readonly captures: ReadonlyArray<string | undefined>;
  /** The named groups of a RegExp that has some. */
  readonly groups?: Readonly<Record<string, string | undefined>>;
  /** The subscriber's number: that of the message. */
  readonly source: string;
  /** The business number: that of the message. */
  readonly recipient: string;
  /** The text of the message. Absent if the callback has none. */
  readonly text?: string;
}
