// The words of consent: with which a subscriber opts out, perhaps opts out, opts in or asks for help, and what may
// follow each. docs/keywords.md is made from these tables.

/** What must follow a word for it to count; docs/keywords.md says it in words. */
export type Condition = "anything" | "nothing" | "stop" | "messages";

/** Words with one condition. */
export interface ConsentRow {
  readonly follows: Condition;
  readonly words: readonly string[];
}

/** Polite words. They are skipped before a word of consent, and count for nothing after it. */
export const COURTESIES = ["PLEASE", "PLS", "PLZ", "KINDLY", "HI", "HELLO", "HEY", "OK", "NO"] as const;
/** These, too, count for nothing after a word that stands alone. */
export const CLOSINGS = ["THANKS", "THANK YOU", "NOW"] as const;

const SEND = ["TEXT", "SEND", "MESSAGE"].flatMap((verb) => [`DO NOT ${verb}`, `DONT ${verb}`, `DON'T ${verb}`]);

export const OPT_OUT_WORDS: readonly ConsentRow[] = [
  {
    follows: "anything",
    words: ["STOPALL", "STOP ALL", "UNSUBSCRIBE", "UNSUB", "OPTOUT", "OPT OUT", "OPT-OUT", "OPT ME OUT"],
  },
  { follows: "stop", words: ["STOP"] },
  {
    follows: "messages",
    words: [
      ...["CANCEL", "END", "QUIT", "REVOKE", "REMOVE", "REMOVE ME", "REMOVE MY NUMBER", "TAKE ME OFF"],
      ...["DND", "DO NOT DISTURB", ...SEND, "LEAVE ME ALONE", "ARRET"],
    ],
  },
];

/** STOP certainly opts out before exactly one more word, unless it is one of these: "stop by", "stop at". */
export const STOP_NOT_BEFORE = [...["BY", "AT", "IN", "ON", "OVER", "OFF", "FOR", "NEAR", "HERE", "THERE"]] as const;
/** STOP certainly opts out before these, whatever follows: "stop sending me these". */
export const STOP_BEFORE = [
  ...["ALL", "IT", "THIS", "THESE", "ME", "NOW", "TEXTING", "SENDING", "MESSAGING", "CONTACTING", "SPAM", "SPAMMING"],
  ...["SMS", "TEXT", "TEXTS", "MSG", "MSGS", "MESSAGE", "MESSAGES", "ADS", "PROMO", "PROMOTIONAL", "MARKETING"],
] as const;
/** Words for the messages: "cancel my subscription". */
export const MESSAGE_WORDS = [
  ...["ALL", "IT", "MY", "FROM", "YOUR", "LIST", "SMS", "TEXTS", "MESSAGES", "MSGS", "SUBSCRIPTION", "SENDING"],
  ...["TEXTING", "ME", "ANY", "MORE", "ANYMORE", "AGAIN"],
] as const;

export const POSSIBLE_OPT_OUT_WORDS = [
  ...["STOP", "STOPALL", "OPT OUT", "OPT-OUT", "OPTOUT", "REMOVE ME", ...SEND],
  ...["NO MORE", "WRONG NUMBER", "NOT INTERESTED", "BLOCK", "DEACTIVATE", "DND", "SPAM"],
] as const;
/** Forms of words that possibly opt out, too. */
export const POSSIBLE_OPT_OUT_STEMS: ReadonlyArray<{ readonly word: string; readonly form: RegExp }> = [
  { word: "STOP", form: /^STOP{2,}$|^STPO$/ },
  { word: "UNSUB", form: /^UNSUB/ },
];

export const OPT_IN_WORDS: readonly ConsentRow[] = [
  { follows: "nothing", words: ["START", "UNSTOP", "SUBSCRIBE", "OPTIN", "OPT IN", "OPT-IN"] },
];

export const HELP_WORDS: readonly ConsentRow[] = [
  { follows: "anything", words: ["HELP"] },
  { follows: "nothing", words: ["INFO", "AIDE"] },
];
