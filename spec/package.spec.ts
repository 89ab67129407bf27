// The package as a whole: what it loads, and what it publishes.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { Ajv2020 } from "ajv/dist/2020";
import schema from "express-kaleyra-sms/schema.json";
import ts from "typescript";

import { callback, PRINTED_POST } from "./support/callbacks";
import { packedFiles } from "./support/packed-files";

const ROOT = join(__dirname, "..");

/** Runs a script in a process of its own, and returns the JSON that it prints. */
function inFreshProcess(script: string): unknown {
  return JSON.parse(execFileSync(process.execPath, ["-e", script], { cwd: ROOT, encoding: "utf8" }));
}

describe("the published package", () => {
  it("holds the documentation and every file of the examples", () => {
    const packed = packedFiles(ROOT);
    const examples = readdirSync(join(ROOT, "examples"), { recursive: true, encoding: "utf8", withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(ROOT, join(parentPath, name)).replaceAll("\\", "/"))
      .filter(
        (file) => !/\/(?:node_modules|dist)\/|\/(?:package-lock\.json|\.env|[^/]*\.(?:db|db-.*|log))$/.test(file),
      );
    expect(examples).toContain("examples/quickstart/src/sms.ts");
    expect(packed).toEqual(
      expect.arrayContaining([
        ...examples,
        "docs/codes.md",
        "docs/tracing.md",
        "docs/opentelemetry.mjs",
        "dist/index.js",
        "dist/simulator/page/page.js",
        "schema.json",
      ]),
    );
  });

  it("holds no source map whose source it does not hold", () => {
    const packed = packedFiles(ROOT);
    const missing = packed
      .filter((file) => /\.[cm]?js$/.test(file) && existsSync(join(ROOT, file)))
      .flatMap((file) => {
        const [, map] = /^\/\/# sourceMappingURL=(.+)$/m.exec(readFileSync(join(ROOT, file), "utf8")) ?? [];
        if (map === undefined) return [];
        const { sources } = JSON.parse(readFileSync(join(ROOT, dirname(file), map), "utf8")) as { sources: string[] };
        return [map, ...sources].map((name) => join(dirname(file), name));
      })
      .filter((name) => !packed.includes(name));
    expect(missing).toEqual([]);
  });

  it("holds nothing that running an example leaves behind", () => {
    const folder = mkdtempSync(join(tmpdir(), "packed-"));
    try {
      cpSync(join(ROOT, "package.json"), join(folder, "package.json"));
      const kept = ["examples/shop/.env.example", "examples/shop/server.js", "examples/shop/src/app.ts"];
      const traces = [
        "node_modules/a/index.js",
        "dist/server.js",
        "package-lock.json",
        ".env",
        "shop.db",
        "inbox.db-wal",
      ];
      const left = [...traces, "log.log"].map((name) => `examples/shop/${name}`);
      for (const name of [...kept, ...left]) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), "");
      }
      expect(packedFiles(folder).sort()).toEqual([...kept, "package.json"].sort());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("loading the package", () => {
  it("loads neither Express nor any rarely used dependency", () => {
    const loaded = inFreshProcess(`
      const { incomingSms } = require("express-kaleyra-sms");
      incomingSms();
      const names = Object.keys(require.cache).map((file) => /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(file)?.[1]);
      console.log(JSON.stringify([...new Set(names.filter(Boolean))].sort()));`);
    // The dependencies of debug. It loads the last two only if another package has installed them.
    const ofDebug = ["debug", "ms", "supports-color", "has-flag"];
    expect(loaded).toContain("debug");
    expect((loaded as string[]).filter((name) => !ofDebug.includes(name))).toEqual([]);
  });

  it("loads nothing of what only tests, the command, the metrics and the simulator use", () => {
    const loaded = inFreshProcess(`
      require("express-kaleyra-sms");
      console.log(JSON.stringify(Object.keys(require.cache)));`) as string[];
    expect(loaded.some((file) => file.endsWith(join("dist", "router.js")))).toBe(true);
    expect(
      loaded.filter((file) =>
        /[\\/]dist[\\/](?:testing|inbox[\\/]memory|command|metrics|simulator|provider)[\\/]/.test(file),
      ),
    ).toEqual([]);
  });

  it("loads the same module with import and with require", () => {
    const same = inFreshProcess(`
      import("express-kaleyra-sms").then(({ incomingSms, OPT_OUT }) => {
        const required = require("express-kaleyra-sms");
        const isSame = [incomingSms === required.incomingSms, OPT_OUT === required.OPT_OUT];
        console.log(JSON.stringify([...isSame, Object.keys(required).sort()]));
      });`);
    expect(same).toEqual([
      true,
      true,
      ["HELP", "OPT_IN", "OPT_OUT", "POSSIBLE_OPT_OUT", "SmsError", "alone", "callbackProfile", "incomingSms"],
    ]);
  });
});

describe("bundling the package", () => {
  const { peerDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    peerDependencies: Record<string, string>;
  };

  /** A bundler lets what is required be missing if the call stands in a `try`, with no function in between. */
  const mayBeMissing = (node: ts.Node): boolean => {
    if (ts.isFunctionLike(node) || ts.isSourceFile(node)) return false;
    return (ts.isTryStatement(node.parent) && node.parent.tryBlock === node) || mayBeMissing(node.parent);
  };

  /** The packages that are required in a file of the build, and whether a bundler lets each be missing. */
  const requiredIn = (file: string): Array<readonly [name: string, mayBeMissing: boolean]> => {
    const found: Array<readonly [string, boolean]> = [];
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && node.expression.getText() === "require") {
        const [name] = node.arguments;
        if (name === undefined || !ts.isStringLiteral(name)) throw new TypeError(`${file}: ${node.getText()}`);
        found.push([name.text, mayBeMissing(node)]);
      }
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true, ts.ScriptKind.JS));
    return found;
  };

  /** webpack in Next.js gives an empty module for an optional package that is not installed. */
  const withEmpty = (name: string, script: string): unknown =>
    inFreshProcess(`
      const Module = require("node:module");
      const load = Module._load;
      Module._load = (wanted, ...rest) => (wanted === "${name}" ? {} : load(wanted, ...rest));
      try {
        ${script};
      } catch (error) {
        console.log(JSON.stringify([error.code, error.message]));
      }`);

  it.each([
    [
      "libphonenumber-js/mobile",
      'require("express-kaleyra-sms").incomingSms({ authenticate: false, defaultCountry: "IN" })',
      "npm install libphonenumber-js.",
    ],
    ["bullmq", 'require("express-kaleyra-sms/bullmq")', "npm install bullmq ioredis."],
    ["ioredis", 'require("express-kaleyra-sms/bullmq")', "npm install bullmq ioredis."],
    ...["better-sqlite3", "libsql"].map((driver) => [
      driver,
      `require("express-kaleyra-sms/sqlite").sqliteInbox({ file: "none/inbox.db", driver: "${driver}" })`,
      `npm install ${driver}.`,
    ]),
  ] as Array<[string, string, string]>)(
    "takes an empty module in place of %s for a missing one",
    (name, script, says) => {
      expect(withEmpty(name, script)).toEqual(["KALEYRA_SMS_PEER_MISSING", expect.stringContaining(says)]);
    },
  );

  it("needs no package that the user may not have installed", () => {
    const required = readdirSync(join(ROOT, "dist"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".js"))
      .flatMap((file) => requiredIn(join(ROOT, "dist", file)))
      .filter(([name]) => (name.split("/")[0] ?? "") in peerDependencies);
    expect(required.sort()).toEqual([
      ["better-sqlite3", true],
      ["bullmq", true],
      ["ioredis", true],
      ["libphonenumber-js/mobile", true],
      ["libsql", true],
      ["pg", true],
    ]);
  });
});

describe("express-kaleyra-sms/bullmq", () => {
  it("is the same module with import and with require", () => {
    const same = inFreshProcess(`
      import("express-kaleyra-sms/bullmq").then(({ bullmqInbox }) => {
        const required = require("express-kaleyra-sms/bullmq");
        console.log(JSON.stringify([bullmqInbox === required.bullmqInbox, Object.keys(required)]));
      });`);
    expect(same).toEqual([true, ["bullmqInbox"]]);
  });

  /** The message of the error that is thrown if a package is not installed. */
  const withMissing = (missing: string): unknown =>
    inFreshProcess(`
      const Module = require("node:module");
      const resolve = Module._resolveFilename;
      Module._resolveFilename = (name, ...rest) => {
        if (name !== "${missing}") return resolve(name, ...rest);
        throw Object.assign(new Error("Cannot find module '${missing}'"), { code: "MODULE_NOT_FOUND" });
      };
      try {
        require("express-kaleyra-sms/bullmq");
      } catch (error) {
        console.log(JSON.stringify(error.message));
      }`);

  it.each(["bullmq", "ioredis"])("throws an error with the install command if %s is not installed", (missing) => {
    expect(withMissing(missing)).toContain(`express-kaleyra-sms/bullmq needs ${missing}: npm install bullmq ioredis.`);
  });

  it("throws Node's own error if a dependency of bullmq is not installed", () => {
    expect(withMissing("msgpackr")).toBe("Cannot find module 'msgpackr'");
  });
});

describe("express-kaleyra-sms/postgres", () => {
  it("is the same module with import and with require, and does not load pg", () => {
    const same = inFreshProcess(`
      import("express-kaleyra-sms/postgres").then(({ postgresInbox }) => {
        const required = require("express-kaleyra-sms/postgres");
        const loaded = Object.keys(require.cache).filter((file) => /node_modules.pg/.test(file));
        console.log(JSON.stringify([postgresInbox === required.postgresInbox, Object.keys(required), loaded]));
      });`);
    expect(same).toEqual([true, ["postgresInbox"], []]);
  });
});

describe("express-kaleyra-sms/metrics", () => {
  it("is the same module with import and with require, and loads no Prometheus client", () => {
    const same = inFreshProcess(`
      import("express-kaleyra-sms/metrics").then(({ metrics }) => {
        const required = require("express-kaleyra-sms/metrics");
        const loaded = Object.keys(require.cache).filter((file) => /node_modules.*prom/.test(file));
        console.log(JSON.stringify([metrics === required.metrics, Object.keys(required), loaded]));
      });`);
    expect(same).toEqual([true, ["metrics"], []]);
  });
});

describe("express-kaleyra-sms/testing", () => {
  it("is the same module with import and with require", () => {
    const same = inFreshProcess(`
      import("express-kaleyra-sms/testing").then(({ subscriber }) => {
        const required = require("express-kaleyra-sms/testing");
        console.log(JSON.stringify([subscriber === required.subscriber, Object.keys(required).sort()]));
      });`);
    expect(same).toEqual([true, ["fixture", "memoryInbox", "settled", "subscriber"]]);
  });
});

describe("express-kaleyra-sms/simulator", () => {
  it("is the same module with import and with require", () => {
    const same = inFreshProcess(`
      import("express-kaleyra-sms/simulator").then(({ simulator }) => {
        const required = require("express-kaleyra-sms/simulator");
        console.log(JSON.stringify([simulator === required.simulator, Object.keys(required)]));
      });`);
    expect(same).toEqual([true, ["simulator"]]);
  });
});

describe("express-kaleyra-sms/schema.json", () => {
  const ajv = new Ajv2020({ allErrors: true, strict: true });
  ajv.addSchema(schema);

  it("is a JSON Schema that accepts the printed callback", () => {
    const validate = ajv.getSchema(`${schema.$id}#/$defs/POST`);
    expect(validate?.(JSON.parse(PRINTED_POST))).toBe(true);
    expect(validate?.(callback({ status: "DELIVERED" }))).toBe(false);
    expect(validate?.(callback({ message: undefined }))).toBe(false);
  });

  it("requires no message for GET, and accepts `to` in place of `recipient`", () => {
    const validate = ajv.getSchema(schema.$id);
    expect(validate?.({ id: "1", source: "2", to: "3" })).toBe(true);
    expect(validate?.({ id: "1", source: "2" })).toBe(false);
  });
});
