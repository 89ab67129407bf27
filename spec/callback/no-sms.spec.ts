// Requests without an SMS, as a console's test button or a redirect sends them: the detail says what happened.

import { describe, expect, it, jest } from "@jest/globals";
import express from "express";
import request from "supertest";
import { callbackProfile } from "express-kaleyra-sms";

import { callback, PRINTED_ENDPOINT } from "../support/callbacks";
import { EXPRESS } from "../support/hosts";
import { recorder, type SomeOptions } from "../support/recorder";

jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);

const OPTIONS = { url: "https://example.com/sms", statics: { tenant: "acme" } } as const;
const POST_PROFILE = callbackProfile({ ...OPTIONS, method: "POST" });
const FOUND = "The endpoint was found";
const FORM = "application/x-www-form-urlencoded";

describe.each(EXPRESS)("in %s,", (_, framework) => {
  const send = async (
    body: string | undefined,
    type: string,
    options: SomeOptions,
    before: express.RequestHandler[],
  ) => {
    const app = framework();
    for (const one of before) app.use(one);
    const post = request(app.use("/sms", recorder(options).sms))
      .post("/sms")
      .set("Content-Type", type);
    return (await (body === undefined ? post : post.send(body)).expect(400)).body as { detail: string; code: string };
  };

  it.each<[string, string | undefined]>([
    ["an empty POST", undefined],
    ["a POST of white space", " \r\n"],
    ["{}", "{}"],
    ["{ }", "\n{ }\n"],
    ["the template unfilled", POST_PROFILE.body.replace(',\n"tenant": "acme"', "")],
  ])("answers %s that the endpoint was found, and what it waits for", async (_name, body) => {
    for (const type of ["application/json", "text/plain", FORM]) {
      // A form parser takes JSON apart, and express.json() answers white space itself.
      const parsers = type === FORM || body?.trim() === "" ? [] : [express.json(), express.urlencoded()];
      for (const before of [[], parsers]) {
        const { detail } = await send(body, type, {}, before);
        expect(detail).toContain(FOUND);
        expect(detail).toMatch(/waits for .*source.*id.*message/);
        const isUnfilled = body?.includes("<message>") ?? false;
        const profiled = await send(isUnfilled ? POST_PROFILE.body : body, type, { profile: POST_PROFILE }, before);
        expect(profiled.detail).toContain(FOUND);
      }
    }
  });

  it("names the redirect to a GET without variables", async () => {
    const { sms } = recorder({ authenticate: { query: "token", value: "s3cret" } });
    const app = framework().use("/sms", sms);
    for (const path of ["/sms?token=s3cret", "/sms?token=s3cret&", "/sms?token=s3cret&tenant=acme"]) {
      const { body } = (await request(app).get(path).expect(400)) as unknown as { body: { detail: string } };
      expect(body.detail).toContain("redirect");
      expect(body.detail).toContain("https");
    }
    const unfilled = await request(app).get(`/sms?token=s3cret&${PRINTED_ENDPOINT}`).expect(400);
    expect(unfilled.body).toMatchObject({ detail: expect.stringContaining(FOUND), code: "schema" });
    expect((unfilled.body as { detail: string }).detail).not.toContain("redirect");
    const post = framework().use("/sms", recorder({ profile: POST_PROFILE }).sms);
    expect((await request(post).get("/sms").expect(405)).body).toMatchObject({
      detail: expect.stringContaining("redirect"),
    });
    expect((await request(post).put("/sms").expect(405)).body).toMatchObject({
      detail: expect.not.stringContaining("redirect"),
    });
  });
});

const detailOf = async (options: SomeOptions, ...sent: Parameters<ReturnType<typeof recorder>["sms"]["receive"]>) => {
  const { problem } = await recorder(options).sms.receive(...sent);
  return problem?.detail ?? "";
};

it("a GET without variables is only told that the endpoint was found if it takes no POST", async () => {
  for (const options of [{ methods: ["GET"] as const }, { profile: callbackProfile({ ...OPTIONS, method: "GET" }) }]) {
    const detail = await detailOf(options, { method: "GET", query: "" });
    expect(detail).toContain(FOUND);
    expect(detail).not.toContain("redirect");
  }
  expect(await detailOf({}, { method: "GET", query: {} })).toContain("redirect");
  expect(await detailOf({}, { method: "GET", query: { id: "<id>" } })).not.toContain("redirect");
});

it("what the endpoint waits for is what the profile requests", async () => {
  const profile = callbackProfile({ ...OPTIONS, method: "POST", fields: ["source", "message"] });
  for (const body of ["", "{}", profile.body])
    expect(await detailOf({ profile }, { method: "POST", body })).toContain("waits for source, message:");
  expect(await detailOf({ profile, escaping: "json" }, { method: "POST", body: "{}" })).toContain("waits for source");
});

it("an unfilled template is not decrypted", async () => {
  const decrypt = (): string => {
    throw new Error("not encrypted");
  };
  const { sms, lines } = recorder({ decrypt, profile: POST_PROFILE });
  const { problem } = await sms.receive({ method: "POST", body: POST_PROFILE.body });
  expect(problem).toMatchObject({ code: "schema", detail: expect.stringContaining(FOUND) });
  expect(lines).toEqual([]);
});

it.each([
  ["a field", { id: "1" }],
  ["a text", { message: "hello" }],
  ["a text that only looks like a placeholder", { message: "<hello>" }],
  ["to", { to: "5050" }],
  ["a field that cannot be read", { message: {} }],
])("names what is missing in a callback that has %s", async (_, body) => {
  const detail = await detailOf({}, { method: "POST", body: JSON.stringify(body) });
  expect(detail).toContain("is missing");
  expect(detail).not.toContain(FOUND);
});

it.each([
  ["of another provider's", JSON.stringify({ from: "919876543210", text: "STOP" }), undefined],
  ["that is nested", JSON.stringify({ sms: "STOP <3" }), undefined],
  ["that was encoded as a whole", encodeURIComponent(JSON.stringify(callback({}))), FORM],
  ["in one variable", `payload=${encodeURIComponent(JSON.stringify(callback({})))}`, FORM],
])("a callback %s is not called a test", async (_, body, contentType) => {
  const detail = await detailOf({}, { method: "POST", body, ...(contentType && { contentType }) });
  expect(detail).toContain("is missing");
  expect(detail).not.toContain(FOUND);
});

it("a body of another kind keeps its detail: too large, of an unknown type, or not JSON", async () => {
  const { sms } = recorder({ bodyLimit: 10 });
  const fetched = async (body: string, headers: Record<string, string>) =>
    (
      (await (await sms.fetch(new Request("https://example.com/", { method: "POST", body, headers }))).json()) as {
        detail: string;
      }
    ).detail;
  expect(await fetched("x".repeat(20), { "Content-Length": "20" })).toContain("larger");
  expect(await fetched("", { "Content-Type": "text/xml" })).toContain("XML");
  expect(await fetched("[]", { "Content-Type": "application/json" })).not.toContain(FOUND);
});

it("a valid text may be the placeholder", async () => {
  const { sms } = recorder();
  expect(await sms.receive({ method: "POST", body: callback({ message: "<message>" }) })).toMatchObject({
    outcome: "handled",
    message: { text: "<message>" },
  });
});
