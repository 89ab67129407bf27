// `profile push`: changes what differs in a profile that is there.

import { describe, expect, it } from "@jest/globals";
import { callbackProfile } from "express-kaleyra-sms";
import { api, at, bodyWith, changes, CODE, ENV, profile, push, URL, verify } from "../support/profile-command";
import { CANARIES, type StoredProfile } from "../support/provider-api";

describe("profile push", () => {
  it("changes a profile that is there; verify then finds each change that somebody makes in the console", async () => {
    const held = api.add({ url: "https://old.domain/sms", body: bodyWith((all) => delete all.keyword), title: "sms" });
    const { code, stdout, stderr } = await push(held, ...CODE, "--yes");
    expect([code, stdout]).toEqual([0, "Changed: url, body. The console holds what the code declares.\n"]);
    expect(stderr).toContain('template: "keyword" is missing in the console.');
    const { body } = callbackProfile({ method: "POST", url: URL });
    expect(changes()).toEqual([["PATCH", { url: URL, body }]]);
    expect(held).toMatchObject({ url: URL, body, title: "sms", headers: expect.stringContaining(CANARIES.header) });
    expect((await verify(held)).code).toBe(0);
    held.body = body.replace('"kid": "<kid>",\n', "");
    const after = await verify(held);
    expect([after.code, after.stdout]).toEqual([1, 'template: "kid" is missing in the console.\n']);
  });

  it("shows the difference without --yes, changes nothing, and exits with 1", async () => {
    const held = api.add({ http_method: "GET", headers: "{}" });
    const { code, stdout, stderr } = await push(held, ...CODE);
    expect(code).toBe(1);
    expect(stdout).toContain("method: The code has POST, the console GET.\n");
    expect(stdout).toContain("headers: X-Callback-Token is missing in the console.\n");
    expect(stderr).toContain("It would change: http_method, headers.\nAdd --yes");
    expect(changes()).toEqual([]);
  });

  it("needs no --yes if there is nothing to change", async () => {
    const { code, stdout } = await push(api.add(), ...CODE);
    expect([code, stdout]).toEqual([0, "There was nothing to change. The console holds what the code declares.\n"]);
    expect(changes()).toEqual([]);
  });

  it("changes the value of a header without showing it, and keeps the console's other headers", async () => {
    const headers = { "x-callback-token": "old", "X-Other": CANARIES.otherHeader };
    const held = api.add({ headers: JSON.stringify(headers) });
    const shown = await push(held, ...CODE);
    expect(shown.stdout).toContain("headers: X-Callback-Token has another value in the console.\n");
    const { code, stdout } = await push(held, ...CODE, "--yes");
    expect(JSON.parse(held.headers ?? "")).toEqual({
      "X-Callback-Token": CANARIES.header,
      "X-Other": CANARIES.otherHeader,
    });
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/^Changed: headers\.\nheaders: X-Other is in the console/),
    ]);
    const declared = [...CODE, "--header", "X-Other=env:OTHER"];
    const env = { ...ENV, OTHER: CANARIES.otherHeader };
    expect((await profile(["push", "--id", held.profile_id, ...at(), ...declared], env)).code).toBe(0);
  });

  it("leaves headers alone that it cannot read", async () => {
    const held = api.add({ headers: `not JSON: ${CANARIES.header}`, url: "https://old.domain/sms" });
    expect((await push(held, ...CODE, "--yes")).stdout).toMatch(/^Changed: url\.\nheaders: .* cannot be read\.\n$/);
    expect(changes()).toEqual([["PATCH", { url: URL }]]);
  });

  it("turns a profile of POST into one of GET", async () => {
    const held = api.add();
    const code = ["--url", URL, "--method", "GET", "--header", "X-Callback-Token=env:CALLBACK_TOKEN"];
    expect((await push(held, ...code, "--yes")).code).toBe(0);
    const { endpoint } = callbackProfile({ method: "GET", url: URL });
    expect(changes()).toEqual([["PATCH", { http_method: "GET", url: endpoint }]]);
  });

  it("cannot switch a profile on or its encryption off, and exits with 1 while they differ", async () => {
    const enc = { algo: "AES-128-CFB", key: CANARIES.encKey, IV: CANARIES.encIv };
    const held = api.add({ status: 2, enc, url: "https://old.domain/sms" });
    const { code, stdout, stderr } = await push(held, ...CODE, "--yes");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Changed: url\.\nencryption: .*\nstatus: The provider switched the profile off/);
    expect(stderr).toContain("The console still differs from the code in 2 points.");
    expect(held.enc).toEqual(enc);
  });

  it("says so if the console keeps none or only some of a change", async () => {
    const held = api.add({ url: "https://old.domain/sms", http_method: "GET", headers: "{}" });
    api.instead = (request, response) => {
      if (request.method === "PATCH") response.json({ code: "RBC024", data: {}, status: 200 });
      else response.json({ code: "RBC024", data: held, status: 200 });
    };
    const none = await push(held, ...CODE, "--yes");
    expect([none.code, none.stdout]).toEqual([1, expect.stringMatching(/^Changed: nothing\.\nmethod: /)]);
    expect(none.stdout).toContain("the console https://old.domain/sms.");
    api.instead = (request, response) => {
      if (request.method === "PATCH") held.http_method = "POST";
      response.json({ code: "RBC024", data: held, status: 200 });
    };
    const { code, stdout } = await push(held, ...CODE, "--yes", "--json");
    expect([code, JSON.parse(stdout)]).toMatchObject([
      1,
      { data: { changed: ["http_method"], differences: [{ part: "endpoint" }, { part: "headers" }] } },
    ]);
  });

  it.each<[what: string, which: (held: StoredProfile) => string[], answer: (held: StoredProfile) => object]>([
    ["of another id", ({ profile_id }) => ["--id", profile_id], (held) => ({ ...held, profile_id: "SG_other" })],
    ["of an id that is a path", ({ profile_id }) => ["--id", profile_id], (held) => ({ ...held, profile_id: "..%2F" })],
    ["of another title", ({ title }) => ["--title", title], (held) => ({ ...held, title: "another" })],
  ])("changes nothing if the API answers with a profile %s", async (_what, which, answer) => {
    const held = api.add({ url: "https://old.domain/sms" });
    api.instead = ({ query }, response) => {
      response.json({ code: "RBC024", data: query.offset === undefined ? answer(held) : [held], status: 200 });
    };
    const { code, stdout } = await profile(["push", ...which(held), ...at(), ...CODE, "--yes", "--json"]);
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { ok: false, error: { code: "another-profile" } }]);
    expect(changes()).toEqual([]);
  });

  it.each([[{ status: "error" }], [{ status: "404" }], [{ error: { reason: CANARIES.header } }], [{ status: false }]])(
    "does not take an error in an answer of 200 for a change: %j",
    async (problem) => {
      const held = api.add({ url: "https://old.domain/sms" });
      api.instead = (request, response) => {
        response.json({ code: "RBC024", data: held, status: 200, ...(request.method === "PATCH" && problem) });
      };
      const { code, stdout, stderr } = await push(held, ...CODE, "--yes");
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain("The change was sent, and was not seen to be made: profile verify");
    },
  );

  it("creates nothing", async () => {
    for (const which of [
      ["--id", "SG_none"],
      ["--title", "no such title"],
    ]) {
      const { code, stderr } = await profile(["push", ...which, ...at(), ...CODE, "--yes"]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/404|No Callback Profile has this title/)]);
    }
    expect(changes()).toEqual([]);
  });

  it("exits with 1 if the API does not accept the change", async () => {
    const held = api.add({ url: "https://old.domain/sms" });
    api.instead = (request, response) => {
      if (request.method === "GET") response.json({ code: "RBC024", data: held, status: 200 });
      else response.status(400).json({ code: "RBC104", message: CANARIES.header, data: {}, status: 400 });
    };
    const { code, stderr } = await push(held, ...CODE, "--yes");
    expect([code, stderr]).toEqual([1, expect.stringMatching(/answered 400, RBC104\.\n/)]);
  });
});
