// Writes docs/api/, the reference of what the package exports, from the comments in lib/: `npm run docs` runs it with
// `--write`. Without it, it names the pages that differ, and ends with 1: a spec runs that.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Application, Comment, Converter, IntrinsicType, Logger, LogLevel, ReflectionKind } from "typedoc";

import { FIELDS } from "../dist/callback/fields.js";
import { pagesOf } from "./api-pages.mjs";

const ROOT = join(import.meta.dirname, "..");
const API = join(ROOT, "docs", "api");

/** The pages, and the file of each that says what is exported. */
const MODULES = {
  "express-kaleyra-sms": "index.ts",
  sqlite: "inbox/sqlite/index.ts",
  bullmq: "inbox/bullmq/index.ts",
  postgres: "inbox/postgres/index.ts",
  metrics: "metrics/index.ts",
  simulator: "simulator/index.ts",
  testing: "testing/index.ts",
};
const importedAs = (name) => (name in MODULES && name !== "express-kaleyra-sms" ? `express-kaleyra-sms/${name}` : name);

/** What a table or a list of the reference does not need. */
const COMPACT = {
  excludeExternals: true,
  excludePrivate: true,
  disableSources: true,
  hideGenerator: true,
  hidePageHeader: true,
  hideBreadcrumbs: true,
  hideGroupHeadings: true,
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  classPropertiesFormat: "table",
  typeAliasPropertiesFormat: "table",
  typeDeclarationFormat: "list",
  propertyMembersFormat: "table",
  typeDeclarationVisibility: "compact",
  tableColumnSettings: {
    hideDefaults: true,
    hideInherited: true,
    hideModifiers: true,
    hideOverrides: true,
    hideSources: true,
    leftAlignHeaders: true,
  },
};

/** What a user passes is an object of another package, whose documentation has its methods. */
const OTHERS = [
  "MetricsClient",
  "MetricsRegister",
  "PostgresClient",
  "PostgresPool",
  "SqliteDatabase",
  "SqliteStatement",
];

/** Types that have no name for users, each described where it is used. */
const UNNAMED = ["CallerCheck", "Entry", "Only", "RedisPlaceOptions", "RedisUrlOptions", "RequestCheck"];

/** All properties of these unions are properties of each of their members. */
const EXPECTED = "Using @interface on a union type";

/** What is wrong with the comments. */
const faults = [];
class Faults extends Logger {
  log(message, level) {
    if (level >= LogLevel.Warn && !message.includes(EXPECTED)) faults.push(message);
  }
}

/** Names the pages, and removes what would stand there twice, or says nothing. */
function arrange(project) {
  const fields = new Map(FIELDS.flatMap(({ property, description }) => (property ? [[property, description]] : [])));
  for (const module of project.children) {
    const [name] = Object.entries(MODULES).find(
      ([, file]) => file.replace(/(^|\/)index\.ts$/, "") === module.name.replace(/^index$/, ""),
    );
    module.name = name;
  }
  for (const reflection of project.getReflectionsByKind(ReflectionKind.ClassOrInterface | ReflectionKind.ClassMember)) {
    const { name, parent, inheritedFrom, implementationOf } = reflection;
    // What is inherited stands where it comes from, if that is on a page.
    const origin = (inheritedFrom ?? implementationOf)?.reflection;
    if (OTHERS.includes(parent.name) || origin !== undefined) project.removeReflection(reflection);
    // All codes have a page of their own.
    else if (parent.name === "SmsError" && name === "code") reflection.type = new IntrinsicType("string");
    // The properties of a message that come from the table of fields.
    else if (parent.name === "SmsMessage" && !reflection.hasComment())
      reflection.comment = new Comment([{ kind: "text", text: fields.get(name) }]);
  }
}

/** What is exported stands by its name; members stay as they are written. */
function sortModules(project) {
  for (const { children, groups } of project.children)
    for (const list of [children, ...groups.map((group) => group.children)])
      list.sort((one, other) => one.name.localeCompare(other.name, "en"));
}

const out = mkdtempSync(join(tmpdir(), "api-"));
const app = await Application.bootstrapWithPlugins({
  ...COMPACT,
  logLevel: "Warn",
  plugin: ["typedoc-plugin-markdown"],
  entryPoints: Object.values(MODULES).map((file) => join(ROOT, "lib", file)),
  tsconfig: join(ROOT, "tsconfig.build.json"),
  // Not docs/api itself: typedoc empties the folder.
  outputs: [{ name: "markdown", path: out }],
  router: "module",
  readme: "none",
  sort: ["source-order"],
  groupOrder: ["Functions", "Variables", "Classes", "Interfaces", "Type Aliases"],
  pageTitleTemplates: { index: "Reference", module: ({ name }) => importedAs(name), member: "{name}" },
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  intentionallyNotExported: UNNAMED,
});
app.logger = new Faults();
app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => arrange(project));
// At the end, when typedoc has made its groups.
app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => sortModules(project), -10_000);
const project = await app.convert();
if (project !== undefined) {
  app.validate(project);
  await app.generateOutputs(project);
}
const made = readdirSync(out).map((name) => [name, readFileSync(join(out, name), "utf8")]);
const pages = pagesOf(
  Object.fromEntries(made),
  Object.keys(MODULES).map((name) => [importedAs(name), `${name}.md`]),
);
rmSync(out, { recursive: true });

for (const fault of faults) console.log(fault);
if (faults.length > 0) process.exitCode = 1;
else if (process.argv.includes("--write")) {
  rmSync(API, { recursive: true, force: true });
  mkdirSync(API);
  for (const [name, text] of Object.entries(pages)) writeFileSync(join(API, name), text);
} else {
  const isThere = (name) => existsSync(join(API, name)) && readFileSync(join(API, name), "utf8") === pages[name];
  for (const name of new Set([...Object.keys(pages), ...(existsSync(API) ? readdirSync(API) : [])])) {
    if (isThere(name)) continue;
    console.log(`docs/api/${name} differs: run \`npm run docs\`.`);
    process.exitCode = 1;
  }
}
