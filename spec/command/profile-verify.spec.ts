// `profile verify`: whether the console holds what the code declares.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { callbackProfile } from "express-kaleyra-sms";
import { temporaryFolder } from "../inbox/temporary";
import type { Ran } from "../support/command";
import { api, at, bodyWith, changes, CODE, profile, URL, verify } from "../support/profile-command";
import { CANARIES, PAGE_BODY, type StoredProfile } from "../support/provider-api";

const BUILD = join(__dirname, "..", "..", "dist", "index.js");

describe("profile verify", () => {
  it("exits with 0 if the console holds what the code declares, in whatever order and white space", async () => {
    const { code, stdout, stderr } = await verify(api.add());
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe("The console holds what the code declares, and the profile is active.\n");
    const turned = Object.fromEntries(Object.entries(JSON.parse(PAGE_BODY) as Record<string, string>).reverse());
    const held = api.add({ body: ` ${JSON.stringify(turned, undefined, "\t")}\n`, url: "https://YOUR.domain:443/sms" });
    expect((await verify(held)).code).toBe(0);
    expect(changes()).toEqual([]);
  });

  it.each<[what: string, held: Partial<StoredProfile>, line: string]>([
    ["the method", { http_method: "PUT" }, "method: The code has POST, the console PUT."],
    [
      "the endpoint",
      { url: "http://your.domain/sms" },
      `endpoint: The code has ${URL}, the console http://your.domain/sms.`,
    ],
    [
      "an endpoint with secrets",
      { url: `https://u:${CANARIES.password}@your.domain/sms?token=${CANARIES.query}` },
      `endpoint: The code has ${URL}, the console https://…@your.domain/sms?token=….`,
    ],
    ["an endpoint that is no URL", { url: "your.domain" }, `the console what is not a URL.`],
    ["an endpoint with white space", { url: `${URL} ` }, "endpoint: The code has"],
    [
      "a missing member",
      { body: bodyWith((all) => delete all.keyword) },
      'template: "keyword" is missing in the console.',
    ],
    [
      "a foreign member",
      { body: bodyWith((all) => (all.tenant = CANARIES.static)) },
      'template: "tenant" is in the console, and not in the code.',
    ],
    [
      "a fixed value for a field",
      { body: bodyWith((all) => (all.kid = CANARIES.static)) },
      'template: "kid" is a field with a fixed value: write "kid": "<kid>".',
    ],
    [
      "a variable under another name",
      { body: bodyWith((all) => (all.from = "<source>")) },
      'template: "from" is in the console, and not in the code; it has <source>, which is read under its own name only',
    ],
    [
      "a template that cannot be read",
      { body: `{"id":"<id>","x":{"y":"${CANARIES.static}"}}` },
      'template: The console\'s request body cannot be read. Line 1 of the request body: "x" is an object or a list',
    ],
    ["a template that is missing", { body: null }, "template: The console has no request body."],
    [
      "a template of GET",
      { body: `${URL}?id=<id>` },
      "template: The console's request body cannot be read. It is a URL.",
    ],
    ["a missing header", { headers: "{}" }, "headers: X-Callback-Token is missing in the console."],
    ["no headers", { headers: null }, "headers: X-Callback-Token is missing in the console."],
    [
      "a foreign header",
      { headers: JSON.stringify({ "x-callback-token": "", "X-Other": CANARIES.otherHeader }) },
      "headers: X-Other is in the console, and not in the code: declare it (--header), or remove it there.",
    ],
    [
      "a content type that the router does not read",
      { headers: JSON.stringify({ "X-Callback-Token": "", "content-type": "text/xml" }) },
      "headers: content-type is in the console",
    ],
    ["headers that cannot be read", { headers: CANARIES.header }, "headers: The console's headers cannot be read."],
    [
      "a member with a name that steers a terminal",
      { body: bodyWith((all) => (all["x\u009b2J\u202e"] = "")) },
      String.raw`"x\u009b2J\u202e" is in the console, and not in the code; it has a name with an escape or a control`,
    ],
    [
      "a header with such a name",
      { headers: JSON.stringify({ "x-callback-token": "", "X\u001b]0;\u0007\u202e": CANARIES.otherHeader }) },
      String.raw`headers: X\u001b]0;\u0007\u202e is in the console`,
    ],
    [
      "a name that is very long",
      { body: bodyWith((all) => (all["x".repeat(10_000)] = "")) },
      `template: "${"x".repeat(60)}…" is in the console`,
    ],
    [
      "a template that is very long",
      { body: bodyWith((all) => (all.tenant = "x".repeat(100_000))) },
      "template: The console's request body cannot be read. It has ",
    ],
    [
      "encryption",
      { enc: { algo: "AES-128-CFB", key: CANARIES.encKey, IV: CANARIES.encIv } },
      "encryption: The console encrypts values: give the router options.decrypt",
    ],
  ])("exits with 1 and names what differs, without any secret: %s", async (_what, held, line) => {
    const { code, stdout, stderr } = await verify(api.add(held));
    expect(code).toBe(1);
    expect(stdout).toContain(line);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain("The console differs from the code in one point.");
    expect(stderr).toContain("profile push");
  });

  it("prints no character that steers a terminal, under --json neither", async () => {
    const odd = "\u001b]0;\u0007\u009b2J\u202e";
    const held = api.add({
      title: odd,
      http_method: odd,
      url: `${URL}/${odd}?${odd}=${odd}`,
      body: JSON.stringify({ [odd]: `<${odd}>` }),
      headers: JSON.stringify({ [odd]: "" }),
    });
    for (const more of [[], ["--json"]]) {
      const { code, stdout, stderr } = await verify(held, ...CODE, ...more);
      expect([code, `${stdout}${stderr}`]).toEqual([1, expect.not.stringMatching(/[^\P{C}\n]/u)]);
    }
  });

  it("does not mind the content type of a header that only the console has, or the line of parts", async () => {
    const headers = JSON.stringify({ "x-callback-token": CANARIES.otherHeader, "Content-Type": "application/json" });
    expect((await verify(api.add({ headers, body: bodyWith((all) => delete all["parts[n]"]) }))).code).toBe(0);
  });

  it.each([
    [2, "auto-disabled", "The provider switched the profile off by itself (auto-disabled)", "Callback Reports"],
    [3, "disabled", "The profile is disabled", "Enable it in the console"],
    [9, "unknown", "a status that is not documented", "look at the profile in the console"],
  ])(
    "exits with 1 if the profile is switched off, and says what to do: status %d",
    async (status, name, what, todo) => {
      const { code, stdout } = await profile([
        "verify",
        "--id",
        api.add({ status }).profile_id,
        ...at(),
        ...CODE,
        "--json",
      ]);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        ok: false,
        error: { code: "profile-off", message: expect.stringContaining(`(${name})`) },
        data: { status: name, differences: [{ part: "status", text: expect.stringContaining(what) }] },
      });
      expect(stdout).toContain(todo);
    },
  );

  const ENC = { algo: "AES-256-GCM", key: CANARIES.encKey, IV: CANARIES.encIv };
  it.each<[enc: StoredProfile["enc"], option: string[]]>([
    [ENC, ["--encrypted"]],
    [JSON.stringify(ENC), ["--encrypted"]],
    [{ algo: "", key: "", IV: "" }, []],
    ["{}", []],
    ["", []],
  ])("compares encryption with what --encrypted says: %j, %j", async (enc, option) => {
    expect((await verify(api.add({ enc }), ...CODE, ...option)).code).toBe(0);
  });

  it("exits with 1 if --encrypted is given and the console does not encrypt", async () => {
    const { code, stdout } = await verify(api.add(), ...CODE, "--encrypted");
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^encryption: The console does not encrypt values/)]);
  });

  it("compares the endpoint of GET variable by variable", async () => {
    const code = [
      "--url",
      `${URL}?token=${CANARIES.query}`,
      "--method",
      "get",
      "--parts",
      "1",
      "--static",
      "tenant=acme",
    ];
    const { endpoint } = callbackProfile({
      method: "GET",
      url: `${URL}?tenant=acme&token=${CANARIES.query}`,
      parts: 1,
    });
    const held = api.add({ http_method: "GET", headers: null, body: null, url: endpoint });
    expect((await verify(held, ...code)).code).toBe(0);
    held.url = endpoint
      .replace("tenant=acme", "tenant=other")
      .replace("&parts[1]=<parts[1]>", "")
      .replace("/sms", "/s");
    const { code: exit, stdout } = await verify(held, ...code);
    expect([exit, stdout.trimEnd().split("\n").sort()]).toEqual([
      1,
      [
        `endpoint: The code has ${URL}, the console https://your.domain/s.`,
        'template: "parts[1]" is missing in the console.',
        'template: "tenant" has a fixed value in the code, and another one in the console.',
      ],
    ]);
    held.url = URL;
    expect((await verify(held, ...code)).stdout).toContain("template: The console's endpoint cannot be read.");
  });

  it("takes the code's side from a module, with its own header and one more; the line of parts is free", async () => {
    const file = join(temporaryFolder(), "profile.mjs");
    writeFileSync(
      file,
      `import { callbackProfile } from ${JSON.stringify(BUILD)};
       export const profile = callbackProfile({ method: "POST", url: "${URL}", fields: ["id", "source", "message", "parts[n]"],
         statics: { tenant: "${CANARIES.static}" }, headers: { "X-Own": "${CANARIES.otherHeader}" } });`,
    );
    const body = `{"tenant":"${CANARIES.static}","id":"<id>","source":"<source>","message":"<message>"}`;
    const held = api.add({ body, headers: JSON.stringify({ "X-Own": "1", "X-Callback-Token": "2" }) });
    const code = ["--profile", file, "--header", "X-Callback-Token=env:CALLBACK_TOKEN"];
    expect((await verify(held, ...code)).code).toBe(0);
    held.body = body.replace(CANARIES.static, "other");
    const { stdout } = await verify(held, ...code);
    expect(stdout).toBe('template: "tenant" has a fixed value in the code, and another one in the console.\n');
  });

  it("finds a profile by its exact title, on whatever page of the list", async () => {
    for (let n = 0; n < 40; n++) api.add({ title: `sms callback ${n}` });
    const held = api.add({ title: "sms callback" });
    api.add({ title: "my sms callback", http_method: "GET" });
    const byTitle = (title: string): Promise<Ran> => profile(["verify", "--title", title, ...at(), ...CODE, "--json"]);
    const { code, stdout } = await byTitle("sms callback");
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { ok: true, data: { id: held.profile_id, differences: [] } }]);
    expect(api.requests.filter(({ line }) => line.includes("offset="))).toHaveLength(6);
    const none = await byTitle("sms call");
    expect([none.code, JSON.parse(none.stdout)]).toMatchObject([1, { error: { code: "no-such-profile" } }]);
    const twin = api.add({ title: "sms callback" });
    const several = await byTitle("sms callback");
    expect([several.code, JSON.parse(several.stdout)]).toMatchObject([1, { error: { code: "several-profiles" } }]);
    expect(several.stdout).toContain(`${held.profile_id}, ${twin.profile_id}`);
  });
});
