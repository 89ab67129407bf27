// docs/limits.md: its snippets run as printed, and do what the page says.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";

import { callback } from "./support/callbacks";
import { recorder } from "./support/recorder";

const ROOT = join(__dirname, "..");
const PAGE = readFileSync(join(ROOT, "docs/limits.md"), "utf8");

/** The only snippet that contains a text. */
function snippet(text: string): string {
  const found = Array.from(PAGE.matchAll(/^```js\n([^]*?)^```$/gm), ([, code = ""]) => code).filter((code) =>
    code.includes(text),
  );
  if (found[0] === undefined || found.length > 1) throw new Error(`The page must have exactly one snippet of ${text}.`);
  return found[0];
}

/** Runs code as a module in a process of its own, and returns the JSON that it prints last. */
function run(code: string): unknown {
  const args = ["--no-warnings", "--input-type=module", "-e", code];
  const printed = execFileSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "");
}

/** Code that sends texts to `sms`, and prints what `results` holds then. */
const sending = (texts: readonly string[]): string => `
  for (const [n, message] of ${JSON.stringify(texts)}.entries())
    await sms.receive({ method: "POST", body: JSON.stringify({ ...${JSON.stringify(callback())}, id: "" + n, message }) });
  console.log(JSON.stringify(results));`;

const QUIET = "{ warn: () => undefined, error: () => undefined }";

describe("a script without spaces", () => {
  const TEXTS = ["退订", "退订！", "退訂谢谢", " 退订谢谢", "我要退订"];

  it("has words that a keyword does not find", async () => {
    const { sms, keywords } = recorder();
    sms.keyword(["退订", "退訂"], () => undefined);
    for (const message of TEXTS) await sms.receive({ method: "POST", body: callback({ message }) });
    expect(keywords.map(({ text }) => text)).toEqual(["退订", "退订！"]);
  });

  it("has an opt-out if a regular expression is registered", () => {
    const code = `import { incomingSms } from "express-kaleyra-sms";
      const sms = incomingSms({ authenticate: false, logger: ${QUIET} });
      const results = [];
      sms.on("keyword", ({ text }) => results.push(text));
      const optOut = () => undefined;\n`;
    expect(run(code + snippet("退[订訂]") + sending(TEXTS))).toEqual(TEXTS.slice(0, 4));
  });
});

it("the router before a sanitizer, a CSRF guard and a validator gets each callback as it was sent", () => {
  const code = (isFirst: boolean): string => `
    import express from "express";
    import { incomingSms } from "express-kaleyra-sms";
    const results = [];
    const sms = incomingSms({ authenticate: false, logger: ${QUIET} }).on("message", ({ text }) => results.push(text));
    const sanitizer = (req, _res, next) => { req.body.message = req.body.message.replaceAll("<", "&lt;"); next(); };
    const csrfGuard = (req, res, next) => (req.get("X-CSRF-Token") ? next() : res.sendStatus(403));
    const validator = (req, res, next) => ("parts[1]" in req.body ? res.sendStatus(400) : next());
    const app = express();
    ${isFirst ? snippet("csrfGuard") : snippet("csrfGuard").trim().split("\n").reverse().join("\n")}
    const server = app.listen(0, async () => {
      const post = async (headers, fields) => {
        const body = JSON.stringify({ id: JSON.stringify([headers, fields]), source: "1", recipient: "2", message: "I <3 U", ...fields });
        const url = "http://127.0.0.1:" + server.address().port + "/sms";
        headers = { "Content-Type": "application/json", ...headers };
        results.push((await fetch(url, { method: "POST", headers, body })).status);
      };
      await post({}, {});
      await post({ "X-CSRF-Token": "1" }, { "parts[1]": "I" });
      await post({ "X-CSRF-Token": "1" }, {});
      console.log(JSON.stringify(results));
      server.close();
    });`;
  expect(run(code(true))).toEqual(["I <3 U", 200, "I <3 U", 200, "I <3 U", 200]);
  expect(run(code(false))).toEqual([403, 400, "I &lt;3 U", 200]);
});
