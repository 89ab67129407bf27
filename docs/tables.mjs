// Fills what is generated on every page, between the markers `<!-- generated: NAME -->` and `<!-- /generated -->`:
// `npm run docs` runs it with `--write`. Without it, it names the pages that differ, and ends with 1: a spec runs that.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import client from "prom-client";
import { format, resolveConfig } from "prettier";

import { FIELDS } from "../dist/callback/fields.js";
import { VERBS } from "../dist/command/verbs.js";
import { incomingSms } from "../dist/index.js";
import { metrics } from "../dist/metrics/index.js";
import { readOptions } from "../dist/options.js";
import { memoryInbox } from "../dist/testing/index.js";
import { declared } from "./declared.mjs";
import { house } from "./house.mjs";

const ROOT = join(import.meta.dirname, "..");

const cell = (text) => text.replaceAll("|", "\\|");
const table = (heads, rows) =>
  [heads, heads.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The pages on what an option is for. */
const PAGES = {
  profile: "profile.md",
  authenticate: "who-may-call.md",
  inbox: "inbox.md",
  decrypt: "profile.md",
};

/** The name of an option; a link to its heading if the page has one, or to another page. */
function named(name, page) {
  const link = page.includes(`\n### \`${name}\`\n`) ? `#${name.toLowerCase()}` : PAGES[name];
  return link === undefined ? `\`${name}\`` : `[\`${name}\`](${link})`;
}

function options(page) {
  const all = declared("options.ts", "CommonOptions", "WithProfile", "WithoutProfile", "WithInbox", "WithoutInbox");
  const byName = new Map(all.map((option) => [option.name, option]));
  const rows = Object.keys(readOptions({})).map((name) => {
    const { type, sentence, default: value } = byName.get(name);
    checkDefault(name, value);
    return [named(name, page), `\`${type}\``, value, sentence];
  });
  return table(["option", "type", "default", "what it does"], rows);
}

/** @throws Error if a comment states a default that is none */
function checkDefault(name, stated) {
  const values = { none: undefined, "`console`": console };
  const code = stated.startsWith("`") ? stated.slice(1, -1) : stated.replaceAll(",", "");
  const value = stated in values ? values[stated] : runInNewContext(`(${code})`);
  const inbox = { inbox: { store() {}, start() {}, close() {} } };
  const given = [{}, inbox].map((others) => {
    try {
      return [readOptions(others), readOptions({ ...others, [name]: value })];
    } catch {
      return [];
    }
  });
  if (!given.some(([without, having]) => having !== undefined && JSON.stringify(without) === JSON.stringify(having)))
    throw new Error(`lib/options.ts says that the default of ${name} is ${stated}, but it is not.`);
}

const events = () =>
  table(
    ["event", "payload", "when"],
    declared("handlers/events.ts", "SmsEvents").map(({ name, type, text }) => [
      `\`${name}\``,
      `\`${type}\``,
      capital(text.replaceAll(/\bemitted /gi, "")),
    ]),
  );

const REQUIRED = { always: "always", POST: "under POST", never: "" };
const fields = () =>
  table(
    ["field", "required", "what it is"],
    FIELDS.map(({ name, required, description }) => [`\`${name}\``, REQUIRED[required], description]),
  );

async function metricsTable() {
  const register = new client.Registry();
  const sms = incomingSms({ inbox: memoryInbox(), authenticate: false });
  metrics(sms, { client, register, prefix: "_" });
  await sms.close();
  const rows = register
    .getMetricsAsArray()
    .map(({ name, help, labelNames = [] }) => [
      `\`${name.slice(1)}${labelNames.length === 0 ? "" : `{${labelNames.join(",")}}`}\``,
      help,
    ]);
  return table(["metric", "what it counts or measures"], rows);
}

const verbs = (_page, path) => {
  const link = path.startsWith("docs/") ? "command.md" : "docs/command.md";
  return table(
    ["verb", "what it does"],
    VERBS.map(({ name, summary }) => [
      `[\`${name}\`](${link}#${name.replace(" ", "-")})`,
      /^.*?\.(?= |$)/.exec(summary)?.[0] ?? summary,
    ]),
  );
};

/** What can stand between markers, by name. */
const GENERATED = { options, events, fields, metrics: metricsTable, verbs, house };

const MARKED = /(<!-- generated: (\S+) -->)[^]*?(<!-- \/generated -->)/g;

async function filled(text, path) {
  const contents = new Map();
  for (const [, , name] of text.matchAll(MARKED)) {
    if (GENERATED[name] === undefined) throw new Error(`${path}: nothing generates "${name}".`);
    contents.set(name, await GENERATED[name](text, path));
  }
  const all = text.replaceAll(MARKED, (_all, open, name, close) => `${open}\n\n${contents.get(name)}\n\n${close}`);
  return format(all, { ...(await resolveConfig(join(ROOT, path))), parser: "markdown" });
}

const inDocs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
  .map((name) => `docs/${name.replaceAll("\\", "/")}`)
  .filter((path) => path.endsWith(".md"));
for (const path of ["README.md", "CONTRIBUTING.md", ...inDocs]) {
  const text = readFileSync(join(ROOT, path), "utf8");
  if (!text.includes("<!-- generated: ")) continue;
  const wanted = await filled(text, path);
  if (text === wanted) continue;
  if (process.argv.includes("--write")) writeFileSync(join(ROOT, path), wanted);
  else {
    console.log(`${path} differs: run \`npm run docs\`.`);
    process.exitCode = 1;
  }
}
