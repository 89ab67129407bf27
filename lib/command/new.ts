// `new`: copies an example out of the package.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";

import { isRecord } from "../base/record.js";
import { fault, unreachable, wrongUse } from "./failure.js";
import { quoted } from "../provider/request.js";
import { nearest } from "./nearest.js";
import { printable } from "./printable.js";
import { verb, type Result } from "./verb.js";

/** The folder of the package: this file is dist/command/new.js. */
const PACKAGE = join(__dirname, "..", "..");
const EXAMPLES = join(PACKAGE, "examples");
const DEFAULT_EXAMPLE = "quickstart";

/** What an example holds in the repository, and a copy must not. */
const LEFT_OUT = new Set(["node_modules", "dist", "package-lock.json", ".env"]);

export const newApp = verb({
  name: "new",
  summary: "Copies a starter app into a new folder, ready for npm install and npm start. It never overwrites a file.",
  operands: ["[FOLDER]"],
  options: {
    example: { value: "NAME", help: `Which one. Default: ${DEFAULT_EXAMPLE}.` },
    list: { help: "Lists the examples." },
  },
  examples: [
    { line: "new sms-app", does: "a TypeScript app with the simulator, in the folder sms-app" },
    { line: "new shop --example shop", does: "an app with consent, two numbers and replies" },
  ],
  notes: [
    "If FOLDER is that of an app, it changes nothing and prints the lines to add to the app. " +
      "So it does in the folder of an app without FOLDER.",
  ],
  run: ({ operands: [folder], options }) => {
    if (options.list) return list();
    if (folder === undefined && options.example === undefined && isApp(".")) return linesToAdd(".");
    if (folder === undefined) throw wrongUse("FOLDER is missing.", "For instance: express-kaleyra-sms new sms-app");
    const example = options.example ?? DEFAULT_EXAMPLE;
    const names = exampleNames();
    if (!names.includes(example)) {
      const near = nearest(example, names);
      throw wrongUse(
        "There is no such example.",
        near === undefined ? `They are ${names.join(", ")}.` : `Did you mean ${near}?`,
      );
    }
    const target = resolve(folder);
    if (isApp(target)) return linesToAdd(folder);
    if (existsSync(target) && !statSync(target).isDirectory())
      throw wrongUse(`${folder} is a file.`, "Name a folder that does not exist yet.");
    if (existsSync(target) && readdirSync(target).some((name) => name !== ".git"))
      throw fault({
        code: "folder-not-empty",
        message: `${folder} is not empty.`,
        next: "Name a folder that does not exist yet.",
      });
    try {
      return copy(example, folder, target);
    } catch (cause) {
      const { code = "no reason given" } = cause as NodeJS.ErrnoException;
      throw unreachable(
        `${folder} cannot be written (${code}).`,
        "Name a folder in which you may write.",
        "cannot-write",
      );
    }
  },
});

function exampleNames(): string[] {
  return readdirSync(EXAMPLES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort((a, b) => Number(b === DEFAULT_EXAMPLE) - Number(a === DEFAULT_EXAMPLE) || a.localeCompare(b));
}

function list(): Result {
  const examples = exampleNames().map((name) => ({ name, description: descriptionOf(name) }));
  const width = Math.max(...examples.map(({ name }) => name.length));
  return {
    data: { examples },
    text: examples.map(({ name, description }) => `${name.padEnd(width)}  ${description}`).join("\n"),
  };
}

/** The first sentence of an example's README. */
function descriptionOf(name: string): string {
  const readme = readFileSync(join(EXAMPLES, name, "README.md"), "utf8");
  const paragraph = readme.split(/\n\s*\n/).find((one) => !one.startsWith("#")) ?? "";
  return (/^.*?\.(?=\s|$)/s.exec(paragraph)?.[0] ?? paragraph).replaceAll(/\s+/g, " ");
}

function copy(example: string, folder: string, target: string): Result {
  makeFolder(target);
  const from = join(EXAMPLES, example);
  cpSync(from, target, {
    recursive: true,
    force: false,
    filter: (source) => !LEFT_OUT.has(basename(source)),
  });
  const file = join(target, "package.json");
  const manifest: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (isRecord(manifest) && isRecord(manifest.dependencies)) {
    manifest.name = nameFor(target);
    manifest.dependencies["express-kaleyra-sms"] = sourceOfPackage(target);
    writeFileSync(file, `${JSON.stringify(manifest, undefined, 2)}\n`);
  }
  // npm leaves it out of a package, so that no example can hold one.
  writeFileSync(join(target, ".gitignore"), "node_modules/\ndist/\n.env\n*.db\n*.db-*\n");
  const commands = [`cd ${/^[\w./-]+$/.test(folder) ? folder : quoted(folder)}`, "npm install", "npm start"];
  return {
    data: { folder: target, example, commands },
    text: [`The ${example} example is in ${printable(folder)}. Next:`, "", ...commands.map((one) => `  ${one}`)].join(
      "\n",
    ),
  };
}

/**
 * With what is missing above it. One by one, since a recursive `mkdirSync` never ends if it may not make folders.
 */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** A folder's name as npm takes it for a package. */
function nameFor(target: string): string {
  const name = basename(target)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|-+$/g, "");
  return ["", "node_modules", "favicon.ico"].includes(name) ? "sms-app" : name;
}

/**
 * From where npm installs this package in the new folder: from npm if it came from there. If it came from a file or a
 * folder, such as a packed tarball, from the same one.
 */
function sourceOfPackage(target: string): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { readonly version: string };
  const fileOf = (path: string): string => `file:${relative(target, path).replaceAll("\\", "/")}`;
  const modules = join(PACKAGE, "..");
  if (basename(modules) !== "node_modules") return fileOf(PACKAGE);
  try {
    const lock: unknown = JSON.parse(readFileSync(join(modules, ".package-lock.json"), "utf8"));
    const own =
      isRecord(lock) && isRecord(lock.packages) ? lock.packages["node_modules/express-kaleyra-sms"] : undefined;
    const resolved = isRecord(own) && typeof own.resolved === "string" ? own.resolved : "";
    if (resolved.startsWith("file:")) {
      const source = resolve(modules, "..", resolved.slice("file:".length));
      return fileOf(existsSync(source) ? source : PACKAGE);
    }
  } catch {
    // Another package manager keeps another list, or none.
  }
  return `^${version}`;
}

function isApp(folder: string): boolean {
  return existsSync(join(folder, "package.json"));
}

function linesToAdd(folder: string): Result {
  const commands = ["npm install express-kaleyra-sms"];
  const names = "{ incomingSms, OPT_OUT, POSSIBLE_OPT_OUT }";
  const lines = [
    takesRequire(folder)
      ? `const ${names} = require("express-kaleyra-sms");`
      : `import ${names} from "express-kaleyra-sms";`,
    "",
    "const sms = incomingSms({",
    '  authenticate: { header: "X-Callback-Token", value: process.env.CALLBACK_TOKEN },',
    "});",
    'sms.keyword(OPT_OUT, ({ source }) => console.log("no more messages to", source));',
    'sms.keyword(POSSIBLE_OPT_OUT, ({ text }) => console.log("a person should read", text));',
    'sms.on("message", ({ source, text }) => console.log(source, "typed", text));',
    "",
    'app.use("/sms", sms); // before express.json() and other body parsers',
  ];
  return {
    data: { folder: resolve(folder), changed: false, commands, lines },
    text: [
      `${folder === "." ? "This" : folder} is the folder of an app already: nothing was changed. To receive SMS in it:`,
      "",
      ...commands.map((one) => `  ${one}`),
      "",
      "Then add, where the app is made:",
      "",
      ...lines.map((line) => (line === "" ? "" : `  ${line}`)),
      "",
      "Set CALLBACK_TOKEN to a long random value before you start it, for instance in its .env.",
      "To make a new app instead, name a folder that does not exist yet: express-kaleyra-sms new sms-app",
    ].join("\n"),
  };
}

/** Whether an app's files are CommonJS as Node.js runs them. TypeScript is written with `import` all the same. */
function takesRequire(folder: string): boolean {
  if (existsSync(join(folder, "tsconfig.json"))) return false;
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return !isRecord(manifest) || manifest.type !== "module";
  } catch {
    return true; // npm will say what is wrong with it
  }
}
