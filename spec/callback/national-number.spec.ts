// Numbers without their country code: options.defaultCountry, and the package that it needs.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";

import { callback, post } from "../support/callbacks";
import { recorder } from "../support/recorder";

const ROOT = join(__dirname, "../..");

/** The numbers of a message that is sent from and to a number. */
async function read(sent: string, defaultCountry: string | undefined): Promise<string[]> {
  const { sms, messages } = recorder({ defaultCountry });
  await sms.receive(post({ source: sent, recipient: sent }));
  return messages.flatMap(({ source, recipient, fields }) => [source, recipient, fields.source ?? ""]);
}

describe("with options.defaultCountry, a number", () => {
  it.each([
    ["IN", "9876500001", "+919876500001"],
    ["IN", "09876500001", "+919876500001"],
    ["IN", "098765-00001", "+919876500001"],
    ["IN", " 98765 00001", "+919876500001"],
    ["IN", "919876500001", "+919876500001"],
    ["IN", "+91 98765 00001", "+919876500001"],
    ["IN", "00919876500001", "+919876500001"],
    // Another country's, with its code.
    ["IN", "447400123456", "+447400123456"],
    ["IN", "+4520123456", "+4520123456"],
    ["GB", "07400 123456", "+447400123456"],
    ["GB", "919876500001", "+919876500001"],
    // Within the country's calling code, but of another territory.
    ["GB", "07911 123456", "+447911123456"],
    ["US", "(416) 555-0123", "+14165550123"],
    // By its own prefix for calls abroad: a number of another country.
    ["US", "011919876500001", "011919876500001"],
    // The national reading wins: with 11 digits, both are possible.
    ["BR", "11987654321", "+5511987654321"],
    ["CN", "13812345678", "+8613812345678"],
    // No mobile number of the country.
    ["IN", "4520123456", "4520123456"],
    ["IN", "04520123456", "04520123456"],
    ["IN", "1234567", "1234567"],
    ["IN", "575757", "575757"],
    ["IN", "50-50", "50-50"],
    ["IN", "VM-KALEYRA", "VM-KALEYRA"],
    ["IN", "VM 9876500001", "VM 9876500001"],
    ["IN", "9876500001;ext=5", "9876500001;ext=5"],
    ["IN", "9".repeat(18), "9".repeat(18)],
    [undefined, "9876500001", "9876500001"],
    [undefined, "09876500001", "09876500001"],
    [undefined, "13812345678", "+13812345678"],
  ])("%s: %s becomes %s", async (country, sent, expected) => {
    expect(await read(sent, country)).toEqual([expected, expected, sent]);
  });

  it("has the same source and key in national and international form", async () => {
    const { sms, messages, duplicates } = recorder({ defaultCountry: "IN" });
    for (const source of ["919876500001", "9876500001", "09876500001", "+91 98765 00001"])
      await sms.receive({ method: "POST", body: callback({ id: "1", source }) });
    expect([messages.length, duplicates.length]).toEqual([1, 3]);
  });

  it("of a scope is compared in that form", async () => {
    const { sms } = recorder({ defaultCountry: "IN" });
    const called: string[] = [];
    sms.recipient(["098123 45678", "4520123456"]).on("message", ({ recipient }) => called.push(recipient));
    for (const recipient of ["9812345678", "+919812345678", "4520123456", "+914520123456"])
      await sms.receive(post({ recipient }));
    expect(called).toEqual(["+919812345678", "+919812345678", "4520123456"]);
  });
});

describe("libphonenumber-js", () => {
  /** Runs a script in a process of its own, and returns the JSON that it prints. */
  const inFreshProcess = (script: string): unknown =>
    JSON.parse(execFileSync(process.execPath, ["-e", script], { cwd: ROOT, encoding: "utf8" }));

  it("is loaded only with options.defaultCountry", () => {
    const loaded = inFreshProcess(`
      const { incomingSms } = require("express-kaleyra-sms");
      const isLoaded = () => Object.keys(require.cache).some((file) => file.includes("libphonenumber-js"));
      const query = { id: "1", source: "09876500001", recipient: "5050" };
      const logger = { warn: () => undefined, error: () => undefined };
      const results = [];
      (async () => {
        for (const defaultCountry of [undefined, "IN"]) {
          const sms = incomingSms({ authenticate: false, logger, defaultCountry });
          sms.recipient("9812345678").on("message", () => undefined);
          const { message } = await sms.receive({ method: "GET", query });
          results.push([message.source, isLoaded()]);
        }
        console.log(JSON.stringify(results));
      })();`);
    expect(loaded).toEqual([
      ["09876500001", false],
      ["+919876500001", true],
    ]);
  });

  /** What is thrown for an option if a package is not installed. */
  const withMissing = (missing: string): unknown =>
    inFreshProcess(`
      const Module = require("node:module");
      const resolve = Module._resolveFilename;
      Module._resolveFilename = (name, ...rest) => {
        if (!name.includes("${missing}")) return resolve(name, ...rest);
        throw Object.assign(new Error("Cannot find module '" + name + "'"), { code: "MODULE_NOT_FOUND" });
      };
      const { incomingSms } = require("express-kaleyra-sms");
      incomingSms({ authenticate: false });
      try {
        incomingSms({ authenticate: false, defaultCountry: "IN" });
      } catch (error) {
        console.log(JSON.stringify([error instanceof TypeError, error.code, error.message]));
      }`);

  it("that is not installed is a TypeError that says what to install", () => {
    expect(withMissing("libphonenumber-js")).toEqual([
      true,
      "KALEYRA_SMS_PEER_MISSING",
      expect.stringMatching(/^options\.defaultCountry needs libphonenumber-js: npm install libphonenumber-js\./),
    ]);
  });

  it("that lacks a part of its own is Node's own error", () => {
    expect(withMissing("metadata.mobile.json")).toEqual([
      false,
      "MODULE_NOT_FOUND",
      expect.stringMatching(/^Cannot find module .*metadata\.mobile\.json/),
    ]);
  });
});
