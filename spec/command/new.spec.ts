// `new`: a starter app, copied out of the package.

import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { temporaryFolder } from "../inbox/temporary";
import { command, commandJson } from "../support/command";

const ROOT = join(__dirname, "..", "..");
const EXAMPLES = readdirSync(join(ROOT, "examples"));

/** The files of a folder, without what npm makes there. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((name) => !/(^|\/)(node_modules|dist)\/|^package-lock\.json$/.test(name))
    .sort();
}

function manifestOf(folder: string): { name: string; dependencies: Record<string, string> } {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as ReturnType<typeof manifestOf>;
}

describe("new", () => {
  it("lists the examples, each with a sentence, the quickstart first", async () => {
    const { code, json } = await commandJson(["new", "--list"]);
    const { examples } = (json as { data: { examples: Array<{ name: string; description: string }> } }).data;
    expect(code).toBe(0);
    expect(examples.map(({ name }) => name)).toEqual(["quickstart", ...EXAMPLES.filter((one) => one !== "quickstart")]);
    for (const { description } of examples) expect(description).toMatch(/^.{20,160}\.$/);
  });

  it.each(EXAMPLES)("copies every file of an example: %s", async (example) => {
    const folder = join(temporaryFolder(), "sms-app");
    const { code, stdout } = await command(["new", folder, "--example", example]);
    expect(code).toBe(0);
    expect(stdout).toContain("npm install\n  npm start");
    const original = join(ROOT, "examples", example);
    expect(filesOf(folder)).toEqual([...filesOf(original), ".gitignore"].sort());
    for (const name of filesOf(original)) {
      if (name !== "package.json")
        expect(readFileSync(join(folder, name), "utf8")).toBe(readFileSync(join(original, name), "utf8"));
    }
    expect(manifestOf(folder).name).toBe("sms-app");
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toMatch(/^node_modules\/$/m);
  });

  it("never writes into a folder that is not empty", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "notes.txt"), "mine");
    const { code, json } = await commandJson(["new", folder]);
    expect([code, json]).toEqual([
      1,
      expect.objectContaining({ error: expect.objectContaining({ code: "folder-not-empty" }) }),
    ]);
    expect(readdirSync(folder)).toEqual(["notes.txt"]);
  });

  it.each([[["new", "."]], [["new"]]])(
    "prints the lines to add in the folder of an app, and changes nothing there: %j",
    async (args) => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, "package.json"), "{}");
      const { code, stdout } = await command(args, { cwd: folder });
      expect(code).toBe(0);
      expect(stdout).toContain('app.use("/sms", sms);');
      expect(readdirSync(folder)).toEqual(["package.json"]);
    },
  );

  it.each([
    ["CommonJS", "{}"],
    ["an ECMAScript module", '{ "type": "module" }'],
  ])("prints lines that run as they are in an app that is %s", async (_kind, manifest) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "package.json"), manifest);
    const { json } = await commandJson(["new", folder]);
    const { lines } = (json as { data: { lines: string[] } }).data;
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(ROOT, join(folder, "node_modules", "express-kaleyra-sms"));
    const app = 'globalThis.app = { use: (path, sms) => sms.receive({ method: "POST", body: process.env.BODY }) };';
    writeFileSync(join(folder, "app.js"), [app, ...lines].join("\n"));
    const body = { id: "1", source: "919876543210", recipient: "5050", message: "STOP" };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["app.js"], {
      cwd: folder,
      env: { ...process.env, CALLBACK_TOKEN: "a token", BODY: JSON.stringify(body) },
    });
    expect(stdout).toContain("no more messages to +919876543210\n");
    expect(stderr).not.toContain("KALEYRA_SMS_");
  });

  it("prints an import for an app in TypeScript", async () => {
    const folder = temporaryFolder();
    for (const name of ["package.json", "tsconfig.json"]) writeFileSync(join(folder, name), "{}");
    const { stdout } = await command(["new", folder]);
    expect(stdout).toContain('import { incomingSms, OPT_OUT, POSSIBLE_OPT_OUT } from "express-kaleyra-sms";');
  });

  it.each([
    [["new"], "FOLDER is missing"],
    [["new", "--example", "shop"], "FOLDER is missing"],
    [["new", "x", "--example", "shopp"], "Did you mean shop?"],
    [["new", "x", "--example", "none"], "quickstart"],
  ])("exits with 2 if it is used wrongly: %j", async (args, says) => {
    const { code, stderr } = await command(args, { cwd: temporaryFolder() });
    expect(code).toBe(2);
    expect(stderr).toContain(says);
  });
});

describe("the new app", () => {
  /**
   * Installs the package in a project, as `npm` does, and makes an app there.
   *
   * @returns its dependency on the package
   */
  async function dependencyWhen(
    resolved: string | undefined,
    files: readonly string[] = [],
  ): Promise<string | undefined> {
    const project = temporaryFolder();
    const own = join(project, "node_modules", "express-kaleyra-sms");
    for (const name of ["dist", "examples", "package.json"]) {
      cpSync(join(ROOT, name), join(own, name), {
        recursive: true,
        filter: (path) => !path.slice(ROOT.length).includes("node_modules"),
      });
    }
    for (const name of files) writeFileSync(join(project, name), "");
    if (resolved !== undefined) {
      const packages = { "node_modules/express-kaleyra-sms": { resolved } };
      writeFileSync(join(project, "node_modules", ".package-lock.json"), JSON.stringify({ packages }));
    }
    mkdirSync(join(project, "apps"));
    const main = join(own, "dist", "command", "main.js");
    await promisify(execFile)(process.execPath, [main, "new", "apps/sms"], {
      cwd: project,
      env: { ...process.env, NODE_PATH: join(ROOT, "node_modules") },
    });
    expect(existsSync(join(project, "apps", "sms", "src"))).toBe(true);
    return manifestOf(join(project, "apps", "sms")).dependencies["express-kaleyra-sms"];
  }

  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };

  it.each<[string, string | undefined, readonly string[], string]>([
    ["npm", "https://registry.invalid/express-kaleyra-sms.tgz", [], `^${version}`],
    ["another package manager", undefined, [], `^${version}`],
    ["a packed tarball", "file:packed.tgz", ["packed.tgz"], "file:../../packed.tgz"],
    ["a tarball that is gone", "file:packed.tgz", [], "file:../../node_modules/express-kaleyra-sms"],
  ])("installs the package from where it came: from %s", async (_from, resolved, files, expected) => {
    expect(await dependencyWhen(resolved, files)).toBe(expected);
  });
});
