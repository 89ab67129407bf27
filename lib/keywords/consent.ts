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
export const COURTESIES = [
  ...["PLEASE", "PLS", "PLZ", "KINDLY", "HI", "HELLO", "HEY", "OK"],
  ...["GOOD MORNING", "GOOD AFTERNOON", "GOOD EVENING"],
] as const;
/** Skipped like a courtesy before a word that opts out: "no, stop". Not before one that opts in. */
export const REFUSALS = ["NO"] as const;
/** These, too, count for nothing after a word that stands alone. */
export const CLOSINGS = ["THANKS", "THANK YOU", "NOW"] as const;

/** Each beginning with each end. */
function phrases(beginnings: readonly string[], ends: readonly string[]): string[] {
  return beginnings.flatMap((beginning) => ends.map((end) => `${beginning} ${end}`));
}

const DO_NOT_SEND = phrases(["DO NOT", "DONT", "DON'T"], ["TEXT", "SEND", "MESSAGE", "CONTACT"]);
/** STOP letter by letter. Any marks may stand for the blanks: "S.T.O.P"; these two join letters into one word. */
const SPELLED_STOP = ["S T O P", "S-T-O-P", "S_T_O_P"] as const;

export const OPT_OUT_WORDS: readonly ConsentRow[] = [
  {
    follows: "anything",
    words: [
      ...["STOPALL", "STOP ALL", "STOP-ALL", "UNSUBSCRIBE", "UNSUB", "OPTOUT", "OPT OUT", "OPT-OUT", "OPT ME OUT"],
      ...["UNSUSCRIBE", "UNSUBCRIBE", "UNSUBSCIBE"],
      ...phrases(["I WANT TO", "I WOULD LIKE TO"], ["UNSUBSCRIBE", "OPT OUT"]),
      ...phrases(["STOP THE", "STOP YOUR"], ["SMS", "TEXTS", "MSGS", "MESSAGES", "ADS", "PROMO", "MARKETING"]),
      ...phrases(["CAN YOU STOP", "COULD YOU STOP"], ["TEXTING", "SENDING", "MESSAGING"]),
    ],
  },
  { follows: "stop", words: ["STOP"] },
  {
    follows: "messages",
    words: [
      ...["CANCEL", "END", "QUIT", "REVOKE", "REMOVE", "REMOVE ME", "REMOVE MY NUMBER", "REMOVE MY NO", "TAKE ME OFF"],
      ...["UN SUBSCRIBE", "UN-SUBSCRIBE", ...SPELLED_STOP, "DELETE MY NUMBER", "DELETE MY NO"],
      ...["TAKE ME OFF THIS LIST", "TAKE ME OFF THE LIST", "DND ACTIVATE", "ACTIVATE DND"],
      ...phrases(
        ["I DONT WANT", "I DON'T WANT", "I DO NOT WANT"],
        ["THESE TEXTS", "THESE SMS", "THESE MSGS", "THESE MESSAGES"],
      ),
      ...["TAKE MY NUMBER OFF", "DND", "DO NOT DISTURB", ...DO_NOT_SEND, "LEAVE ME ALONE", "ARRET"],
    ],
  },
];

/** STOP certainly opts out before exactly one more word, unless it is one of these: "stop by", "stop cheque". */
export const STOP_NOT_BEFORE = [
  ...["BY", "AT", "IN", "ON", "OVER", "OFF", "FOR", "NEAR", "HERE", "THERE"],
  ...["CHEQUE", "CHECK", "PAYMENT", "PAYMENTS", "DEBIT", "EMI", "CARD"],
] as const;
/** STOP certainly opts out before these, whatever follows: "stop sending me these". */
export const STOP_BEFORE = [
  ...["ALL", "IT", "THIS", "THESE", "ME", "NOW", "TEXTING", "SENDING", "MESSAGING", "CONTACTING", "SPAM", "SPAMMING"],
  ...["SMS", "TEXT", "TEXTS", "MSG", "MSGS", "MESSAGE", "MESSAGES", "ADS", "PROMO", "PROMOTIONAL", "MARKETING"],
  ...["MSGING", "BOTHERING", "STOP", "OR"],
] as const;
/** Words for the messages: "cancel my subscription". */
export const MESSAGE_WORDS = [
  ...["ALL", "IT", "MY", "FROM", "YOUR", "LIST", "SMS", "TEXTS", "MESSAGES", "MSGS", "SUBSCRIPTION", "SENDING"],
  ...["TEXTING", "ME", "ANY", "MORE", "ANYMORE", "AGAIN", "UR", "DATABASE"],
] as const;

export const POSSIBLE_OPT_OUT_WORDS = [
  ...["STOP", ...SPELLED_STOP, "STOPALL", "OPT OUT", "OPT-OUT", "OPTOUT", "REMOVE ME", "REMOVE MY NUMBER"],
  ...["REMOVE THIS NUMBER", "DELETE MY NUMBER", "NO LONGER WISH", "NO LONGER WANT", "FUCK OFF"],
  ...["TAKE ME OFF", ...DO_NOT_SEND, ...phrases(["DONT WANT", "DON'T WANT", "DO NOT WANT"], ["THESE", "ANY MORE"])],
  ...["NO MORE", "WRONG NUMBER", "NOT INTERESTED", "BLOCK", "DEACTIVATE", "DND", "SPAM"],
] as const;
/** Forms of words that possibly opt out, too. */
export const POSSIBLE_OPT_OUT_STEMS: ReadonlyArray<{ readonly word: string; readonly form: RegExp }> = [
  { word: "STOP", form: /^S+TO+P{2,}$|^S+TO{3,}P$|^(?:STPO|SOTP|TSOP)$/ },
  { word: "UNSUB", form: /^UNSU(?:B|SC)/ },
];

export const OPT_IN_WORDS: readonly ConsentRow[] = [
  { follows: "nothing", words: ["START", "UNSTOP", "SUBSCRIBE", "OPTIN", "OPT IN", "OPT-IN"] },
];

export const HELP_WORDS: readonly ConsentRow[] = [
  { follows: "anything", words: ["HELP"] },
  { follows: "nothing", words: ["INFO", "AIDE"] },
];
