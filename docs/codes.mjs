// Prints docs/codes.md, from the tables of codes in the build: `npm run docs` writes it, and a spec compares it.

import { ANSWER_CODES } from "../dist/base/answer-messages.js";
import { CODES } from "../dist/base/error-messages.js";

const lines = (text) => text.replace(/(?<=[.:?]) (?=[A-Z"`])/g, "\n");
const codes = Object.entries(CODES).map(
  ([code, { kinds, sentence, action }]) =>
    `### \`${code}\`\n\nReported as: ${kinds.join(", ")}.\n\n${sentence}\n${lines(action)}`,
);
const answers = Object.entries(ANSWER_CODES).map(
  ([code, { sentence, action }]) => `### \`${code}\`\n\n${sentence}\n${lines(action)}`,
);

process.stdout
  .write(`<!-- Made by \`npm run docs\` from lib/base/error-messages.ts and lib/base/answer-messages.ts: change it there. -->

# Codes

What each code of the package means, and what to do.

## Warnings and errors

A process warning is printed once by Node.js, and is an event of \`process.on("warning")\`.
An error is thrown, rejects, or is the \`cause\` that a handler of \`error\` gets; its \`code\` is one of these.
Each text ends with the path of the paragraph here that explains it.
A mistake in the set-up is reported once for each code, as a process warning, or thrown as a \`TypeError\`.

${codes.join("\n\n")}

## Answers and log lines

The \`code\` of a problem (the body of an answer above 399), and the code in brackets at the end of a line for the logger.

${answers.join("\n\n")}
`);
