// Prints docs/command.md, from the table of verbs in the build: `npm run docs` writes it, and a spec compares it.

import { helpOf, spellingOf } from "../dist/command/help.js";
import { COMMON_OPTIONS } from "../dist/command/verb.js";
import { VERBS } from "../dist/command/verbs.js";

const lines = (text) => text.replace(/(?<=\.) (?=[A-Z])/g, "\n");
const cell = (text) => text.replaceAll("|", "\\|");
const rows = (options) =>
  Object.entries(options).map(([name, option]) => `| \`${spellingOf(name, option)}\` | ${cell(helpOf(option))} |`);

const verbs = VERBS.map(({ name, summary, operands = [], options, examples, notes = [] }) =>
  [
    `## ${name}`,
    `\`express-kaleyra-sms ${[name, ...operands].join(" ")}\``,
    lines(summary),
    ...(Object.keys(options).length > 0 ? [["| option | |", "|---|---|", ...rows(options)].join("\n")] : []),
    ...notes.map(lines),
    ["```sh", ...examples.map(({ line, does }) => `npx express-kaleyra-sms ${line} # ${does}`), "```"].join("\n"),
  ].join("\n\n"),
);

process.stdout.write(`<!-- Made by \`npm run docs\` from the table of verbs, lib/command/verbs.ts: change it there. -->

# The command

\`npx express-kaleyra-sms VERB\` comes with the package.
It has no prompts, so it runs in scripts and in CI.

${["| verb | |", "|---|---|", ...VERBS.map(({ name, summary }) => `| [${name}](#${name.replace(" ", "-")}) | ${cell(/^.*?\.(?= |$)/.exec(summary)?.[0] ?? summary)} |`)].join("\n")}

Every verb takes:

${["| option | |", "|---|---|", ...rows(COMMON_OPTIONS)].join("\n")}

What it found goes to stdout, and everything else to stderr.
Under \`--json\`, stdout has one object: \`{ "ok": true, "data": … }\`, or \`{ "ok": false, "error": { "code", "message", "next" } }\`.
If it ran and found a fault, the object has \`data\` beside \`error\`.
A verb that goes on prints one such object a line.

| exit code | |
|---|---|
| 0 | done |
| 1 | it ran and found a fault |
| 2 | wrong use: nothing was done |
| 3 | something could not be reached |
| 130 | interrupted |

A secret need not stand on the command line: \`env:NAME\` takes it from the environment, and \`@FILE\` from a file.

${verbs.join("\n\n")}
`);
