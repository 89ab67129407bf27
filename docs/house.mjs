// The house: the folders of lib/, and what is in each, by the first line of each file.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const LIB = join(import.meta.dirname, "..", "lib");

/** What each folder is for, in the order in which a callback passes them, as far as it does. */
const FOLDERS = {
  command: "The command: a file for each verb, and what they share",
  "command/capture": "What `capture` learns of the provider",
  "command/check": "The lines of `check`",
  "command/inbox": "The verbs of `inbox`",
  "command/profile": "The verbs of `profile`, and the provider's API",
  "command/send": "What `send` sends, and what it prints",
  "command/try": "The process in which `try` loads the user's module, and its results",
  provider: "What the provider sends, byte for byte",
  http: "HTTP, and nothing else",
  pipeline: "The way of a callback, from its content to its receipt",
  "pipeline/once": "Without an inbox: each message once, and those of one source in order",
  watch: "Tracing channels and health",
  handlers: "Events, and who handles them",
  keywords: "Finds the keywords of a text; knows no handler",
  answer: "Receipts, and the answers that they become",
  inbox: "What every inbox is: for the router, and for an operator",
  "inbox/rounds": "What the engines share that write in rounds",
  "inbox/sqlite": "express-kaleyra-sms/sqlite",
  "inbox/sqlite/thread": "The file in a thread of its own",
  "inbox/postgres": "express-kaleyra-sms/postgres",
  "inbox/bullmq": "express-kaleyra-sms/bullmq",
  "inbox/memory": "An inbox for tests",
  simulator: "express-kaleyra-sms/simulator",
  "simulator/page": "Its page, for browsers",
  metrics: "express-kaleyra-sms/metrics",
  testing: "express-kaleyra-sms/testing",
  callback: "From what was received to a message",
  "callback/read": "A reader for each kind of content",
  "callback/template": "The Callback Profile, and bodies read by its template",
  access: "Who may call",
  base: "What knows nothing of SMS",
};

const parentOf = (folder) => folder.slice(0, Math.max(folder.lastIndexOf("/"), 0));
const depthOf = (folder) => folder.split("/").length;
const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);

/** The first sentence of the comment at the head of a file. */
function sentenceOf(path) {
  const [, head = ""] = /^(?:#!.*\n)?((?:\/\/ .*\n)+)/.exec(readFileSync(join(LIB, path), "utf8")) ?? [];
  const [sentence] =
    /^.*?\.(?= |$)/.exec(
      head
        .replaceAll(/^\/\/ /gm, "")
        .trim()
        .replaceAll("\n", " "),
    ) ?? [];
  if (sentence === undefined) throw new Error(`lib/${path} does not begin with a sentence that says what it is for.`);
  return sentence.slice(0, -1);
}

const aligned = (rows) => {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, what]) => `${name.padEnd(width)}  ${what}`).join("\n");
};

/** The rooms as a tree, and the files of each. */
export function house() {
  const entries = readdirSync(LIB, { recursive: true, withFileTypes: true }).map((entry) => ({
    isFolder: entry.isDirectory(),
    path: join(entry.parentPath, entry.name)
      .slice(LIB.length + 1)
      .replaceAll("\\", "/"),
  }));
  const folders = entries.filter(({ isFolder }) => isFolder).map(({ path }) => path);
  const files = entries.filter(({ isFolder, path }) => !isFolder && path.endsWith(".ts")).map(({ path }) => path);
  const wrong = [...new Set([...folders, ...Object.keys(FOLDERS)])].filter(
    (folder) => !folders.includes(folder) || FOLDERS[folder] === undefined,
  );
  if (wrong.length > 0) throw new Error(`docs/house.mjs and lib/ have different folders: ${wrong.join(", ")}.`);

  const rowsIn = (folder) =>
    files
      .filter((file) => parentOf(file) === folder)
      .sort()
      .map((file) => [file, sentenceOf(file)]);
  const rooms = Object.entries(FOLDERS);
  const tree = [
    ["lib/", ""],
    ...rowsIn("").map(([file, what]) => [`  ${file}`, what]),
    ...rooms.map(([folder, what]) => [`${"  ".repeat(depthOf(folder))}${nameOf(folder)}/`, what]),
  ];
  const details = rooms
    .filter(([folder]) => parentOf(folder) === "")
    .map(([folder]) => {
      const within = rooms.map(([name]) => name).filter((name) => name === folder || name.startsWith(`${folder}/`));
      const rows = within.flatMap((name) => rowsIn(name).map(([file, what]) => [file.slice(folder.length + 1), what]));
      return `<details>\n<summary>The files of <code>lib/${folder}/</code></summary>\n\n\`\`\`\n${aligned(rows)}\n\`\`\`\n\n</details>`;
    });
  return ["```", aligned(tree).replaceAll(/ +$/gm, ""), "```", "", details.join("\n\n")].join("\n");
}
