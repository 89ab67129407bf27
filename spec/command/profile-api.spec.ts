// What can go wrong between the verbs of `profile` and the provider's API, and how they can be used wrongly.

import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Response } from "express";
import { temporaryFolder } from "../inbox/temporary";
import { startCommand } from "../support/command";
import { api, at, CODE, ENV, profile, URL, verify } from "../support/profile-command";
import { CANARIES, type ProviderStandIn } from "../support/provider-api";

const BUILD = join(__dirname, "..", "..", "dist", "index.js");

describe("an API that does not answer as it should", () => {
  const problem = (response: Response, status: number, code: string): void =>
    void response.status(status).json({ code, message: CANARIES.header, data: {}, error: {}, status });
  const stated = (response: Response, more: object): void =>
    void response.json({
      code: "E1",
      message: CANARIES.header,
      data: api.profiles[0],
      error: {},
      status: 200,
      ...more,
    });
  /** Writes for as long as it is read. */
  const endless = (response: Response): void => {
    response.write(" ".repeat(65_536), (error) => {
      if (!error) endless(response);
    });
  };
  const html = `<html>${CANARIES.header}</html>`;

  it.each<[what: string, instead: ProviderStandIn["instead"], exit: number, code: string, todo: string]>([
    ["401", (_, response) => problem(response, 401, "E401"), 2, "not-authorized", "KALEYRA_API_KEY"],
    ["403", (_, response) => problem(response, 403, "E403"), 2, "not-authorized", "KALEYRA_SID"],
    ["401 under 200", (_, response) => void response.json({ status: 401, data: {} }), 2, "not-authorized", "--region"],
    ["404", (_, response) => problem(response, 404, "RBC302"), 1, "no-such-profile", "--id"],
    ["422", (_, response) => problem(response, 422, "RBC104"), 1, "not-accepted", "documentation"],
    ["429", (_, response) => problem(response, 429, "E429"), 3, "unreachable", "try again later"],
    ["500", (_, response) => problem(response, 500, "E500"), 3, "unreachable", "try again later"],
    ["503 of a proxy", (_, response) => void response.status(503).send(html), 3, "unreachable", "try again later"],
    ["HTML", (_, response) => void response.send(html), 3, "not-the-api", "--api"],
    ["HTML, 404", (_, response) => void response.status(404).send(html), 3, "not-the-api", "--region"],
    ["no profile", (_, response) => void response.json({ status: 200, data: {} }), 3, "not-the-api", "--api"],
    ["a list", (_, response) => void response.json([html]), 3, "not-the-api", "--api"],
    [
      "half an answer",
      (request, response) => void response.write("{", () => request.destroy()),
      3,
      "unreachable",
      "--api",
    ],
    ["a closed connection", (request) => void request.destroy(), 3, "unreachable", "network"],
    ["a redirect", (_, response) => response.redirect(302, `/${CANARIES.query}`), 3, "unreachable", "--api"],
    ["an answer without end", (_, response) => endless(response), 3, "answer-too-long", "proxy"],
    ["an error under 200", (_, response) => stated(response, { error: { a: 1 } }), 1, "not-accepted", "documentation"],
    ["a word of one", (_, response) => stated(response, { status: "error" }), 1, "not-accepted", "documentation"],
    ["404 as a text", (_, response) => stated(response, { status: "404" }), 1, "no-such-profile", "--id"],
    [
      "another profile",
      (_, response) => void response.json({ data: { ...api.profiles[0], profile_id: "SG_other" } }),
      1,
      "another-profile",
      "console",
    ],
    [
      "an id that is a path",
      (_, response) => void response.json({ data: { ...api.profiles[0], profile_id: "../SG_0-f-2-4-8" } }),
      1,
      "another-profile",
      "console",
    ],
  ])("is named, with what to do: %s", async (_what, instead, exit, code, todo) => {
    const held = api.add();
    api.instead = instead;
    const ran = await verify(held, ...CODE, "--json");
    expect([ran.code, ran.stderr]).toEqual([exit, ""]);
    expect(JSON.parse(ran.stdout)).toEqual({
      ok: false,
      error: { code, message: expect.any(String), next: expect.stringContaining(todo) },
    });
    expect(api.requests).toHaveLength(1);
  });

  it("is named if nothing listens there", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const { code, stderr } = await profile(["verify", "--id", "SG_1", "--api", `http://127.0.0.1:${port}`, ...CODE]);
    expect([code, stderr]).toEqual([3, expect.stringContaining(`127.0.0.1:${port} cannot be reached (ECONNREFUSED).`)]);
  });

  it("is named if it stays silent for too long", async () => {
    const clock = join(temporaryFolder(), "clock.cjs");
    // The time is over when this process says so.
    writeFileSync(
      clock,
      `AbortSignal.timeout = () => {
        const over = new AbortController();
        process.once("SIGUSR2", () => over.abort());
        return over.signal;
      };`,
    );
    const asked = new Promise<void>((resolve) => (api.instead = () => resolve()));
    const { child, ended } = startCommand(["profile", "verify", "--id", "SG_1", ...at(), ...CODE], {
      env: { ...ENV, NODE_OPTIONS: `--require ${clock}` },
    });
    await asked;
    child.kill("SIGUSR2");
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([3, expect.stringMatching(/did not answer within 15 seconds\.\nTry again later/)]);
  });

  it("is not called on a port that Node.js blocks", async () => {
    const { code, stderr } = await profile(["verify", "--id", "SG_1", "--api", "http://127.0.0.1:1", ...CODE]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("127.0.0.1:1 has a port that Node.js never calls.")]);
  });

  it("ends with 130 when it is interrupted while it waits", async () => {
    const asked = new Promise<void>((resolve) => (api.instead = () => resolve()));
    const { child, ended } = startCommand(["profile", "verify", "--id", "SG_1", ...at(), ...CODE, "--json"], {
      env: ENV,
    });
    await asked;
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    expect([code, stderr]).toEqual([130, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "interrupted" } });
  });
});

describe("profile verify and push", () => {
  const ID = ["--id", "SG_1", "--region", "in"];
  it.each<[args: readonly string[], env: Readonly<Record<string, string>>, says: string]>([
    [[...ID, ...CODE], { ...ENV, KALEYRA_API_KEY: "" }, "KALEYRA_API_KEY is not set"],
    [[...ID, ...CODE], { ...ENV, KALEYRA_SID: "" }, "KALEYRA_SID is not set"],
    [[...ID, ...CODE], { ...ENV, KALEYRA_API_KEY: `${CANARIES.key}\n` }, "KALEYRA_API_KEY has a character"],
    [[...ID, "--header", "A=b"], ENV, "either --profile or --url"],
    [[...ID, "--url", URL, "--profile", "p.mjs"], ENV, "either --profile or --url"],
    [[...ID, "--profile", "no-such.mjs"], ENV, "no file"],
    [[...ID, "--profile", BUILD, "--method", "GET"], ENV, "--method goes with --url"],
    [[...ID, "--profile", BUILD, "--static", "a=b"], ENV, "--static goes with --url"],
    [[...ID, "--profile", BUILD], ENV, "exports no callbackProfile()"],
    [[...ID, "--url", "/sms"], ENV, "--url takes an absolute http or https URL"],
    [[...ID, "--url", `${URL}/<source>`], ENV, "without <variables>"],
    [[...ID, "--url", URL, "--method", "PUT"], ENV, "--method takes GET or POST"],
    [[...ID, "--url", URL, "--parts", "many"], ENV, "--parts takes a whole number"],
    [[...ID, "--url", URL, "--parts", "101"], ENV, "at most 100"],
    [[...ID, "--url", URL, "--static", "id=1"], ENV, "--static takes NAME=VALUE"],
    [[...ID, "--url", URL, "--static", "from=<source>"], ENV, "--static takes NAME=VALUE"],
    [[...ID, ...CODE, "--title", "sms"], ENV, "either --id or --title"],
    [["--region", "in", ...CODE], ENV, "either --id or --title"],
    [["--id", "../SG_1", "--region", "in", ...CODE], ENV, "--id takes letters"],
    [["--id", "SG_1", ...CODE], ENV, "either --region or --api"],
    [["--id", "SG_1", "--region", "us", ...CODE], ENV, "--region takes in, sg, eu, na"],
    [["--id", "SG_1", "--api", "http://api.in.kaleyra.io", ...CODE], ENV, "--api takes an https URL"],
    [["--id", "SG_1", "--api", `https://u:${CANARIES.password}@a.io`, ...CODE], ENV, "--api takes an absolute URL"],
  ])("exit with 2 if they are used wrongly, before anything is sent: %j", async (args, env, says) => {
    const { code, stdout, stderr } = await profile(["verify", ...args], env);
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringContaining(says)]);
  });
});
