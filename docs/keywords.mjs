// Prints docs/keywords.md, from the tables of consent in the build: `npm run docs` writes it, and a spec compares it.

import { format } from "prettier";

import {
  CLOSINGS,
  COURTESIES,
  HELP_WORDS,
  MESSAGE_WORDS,
  OPT_IN_WORDS,
  OPT_OUT_WORDS,
  POSSIBLE_OPT_OUT_STEMS,
  POSSIBLE_OPT_OUT_WORDS,
  REFUSALS,
  STOP_BEFORE,
  STOP_NOT_BEFORE,
} from "../dist/keywords/consent.js";

const list = (words) => words.join(", ");

const FOLLOWS = {
  anything: "whatever follows",
  nothing: "if nothing follows",
  stop: "if what follows is a rule of STOP, below",
  messages: "if nothing follows, or only words for the messages",
};

const byCondition = (rows) => rows.map(({ follows, words }) => `- ${FOLLOWS[follows]}: ${list(words)}`).join("\n");

const page = `<!-- Made by \`npm run docs\` from lib/keywords/consent.ts: change it there. -->

# Keywords and consent

How a typed text is compared with your keywords, and which words opt out, opt in or ask for help.

## Where a keyword is looked for

A string is looked for in three places.
In each place the longest keyword wins.

| place | \`by\` |
| --- | --- |
| the head of the text: \`JOIN GOLD\` in "join gold now" | \`"text"\` |
| the head of what follows the console's keyword in the text: \`STOP\` in "ACME stop" | \`"rest"\` |
| the console's keyword itself | \`"field"\` |

A \`RegExp\` is tried against the whole text.

## What makes no difference

- Upper and lower case, white space, and Unicode's compatible forms: "ＳＴＯＰ" is STOP. I, İ, i and ı are one letter.
- Marks and emoji around a word: \`Stop!\`, \`*STOP*\`, \`STOP🙏\`.
- Control and invisible characters, the skin tone of an emoji, and the frame of a keycap: 👍🏽 is 👍, and 1️⃣ is 1.
- A missing accent of a Latin, Greek or Cyrillic letter: "arret" is ARRÊT. A different accent does make a difference: "arrét" is not ARRÊT. ł, đ, ø, ħ and ß count as l, d, o, h and ss without theirs. й is a letter of its own.
- Capitals that look alike, in a word of mixed scripts: the alphabet of many phones has no Greek Τ and Ο, so "ΣTOΠ" with a Latin T and O is ΣΤΟΠ.

A keyword that is typed as you registered it wins over one that lacks an accent.

## Where a word ends

A word ends where no letter and no digit follows: "Stop.Thanks", "JOIN,GOLD", "VOTE*3" and "REG#4711" begin with STOP, JOIN, VOTE and REG.

- An apostrophe, hyphen or underscore between letters does not end it: "don't" and "stop-gap" are words.
- A point, comma or colon between digits does not end it: "3.5" and "10:30" are words.
- \`+\`, \`<\`, \`=\`, \`>\` and currency signs belong to their word: "A+" is not A.

A phrase that you register with marks in it, such as \`VOTE*3\`, matches as typed, and wins over its beginning.
\`rest\` is the text after the keyword, without the marks that touch it: "3" in "VOTE*3", and "-5" in "TEMP -5".

## Alone

\`alone("YES")\` matches if nothing else was typed, apart from marks, emoji, ${list(CLOSINGS)}, and the courtesies below.

## Consent

Act at once on what certainly opts out, send what may be an opt-out to a person, and be strict with opt-ins.

\`\`\`ts
sms.keyword(OPT_OUT, ({ source }) => optOut(source));
sms.keyword(POSSIBLE_OPT_OUT, ({ message }) => forwardToAPerson(message));
sms.keyword(OPT_IN, ({ source }) => optIn(source));
sms.keyword([OPT_OUT, "BAND KARO", "ARRÊTER"], ({ source }) => optOut(source)); // with words of your own
\`\`\`

Before each of the words, courtesies and emoji are skipped: ${list([...COURTESIES, ...CLOSINGS])}.
So is ${list(REFUSALS)}, but not before a word that must stand alone: "no, stop" opts out, and "no start" does not opt in.
\`optOut\` in the second argument of a handler says whether the message opts out, registered or not: look at it before you reply.

### \`OPT_OUT\`

These count:

${byCondition(OPT_OUT_WORDS)}

STOP counts if one of these holds:

- nothing follows, or a mark, or a new line;
- exactly one more word follows, but not ${list(STOP_NOT_BEFORE)};
- the next word is one of ${list(STOP_BEFORE)}.

Words for the messages: ${list(MESSAGE_WORDS)}.

### \`POSSIBLE_OPT_OUT\`

Matches if \`OPT_OUT\` does not, and one of these words is anywhere in the text: ${list(POSSIBLE_OPT_OUT_WORDS)}.
Also words of the form ${list(POSSIBLE_OPT_OUT_STEMS.map(({ form }) => `\`${form.source.replaceAll("|", "\\|")}\``))}.

### \`OPT_IN\`

These count:

${byCondition(OPT_IN_WORDS)}

YES is not one of them: register \`alone("YES")\` where you asked.

### \`HELP\`

These count:

${byCondition(HELP_WORDS)}
`;

process.stdout.write(await format(page, { parser: "markdown" }));
