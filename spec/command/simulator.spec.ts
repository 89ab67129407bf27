// `simulator`: the page by itself.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "@jest/globals";
import { ended as whenEnded } from "../inbox/temporary";
import { DRAFT } from "../simulator/support";
import { command, commandJson, startCommand } from "../support/command";

/** Starts it on a free port. */
async function start(...args: string[]): Promise<ReturnType<typeof startCommand> & { url: string }> {
  const running = startCommand(["simulator", "--port", "0", ...args], {
    env: { CALLBACK_TOKEN: "canary-of-the-token" },
  });
  whenEnded.push(() => running.child.kill("SIGKILL"));
  const [url = ""] = await running.printed(/http:\/\/localhost:\d+\//);
  return { ...running, url };
}

describe("simulator", () => {
  it("shows a page, receives over a router of its own, and ends with 130 when it is interrupted", async () => {
    const { url, child, ended } = await start();
    const page = await fetch(url);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, expect.stringContaining("text/html")]);
    const endpoint = `${url}sms`;
    expect((await command(["send", "STOP", "--url", endpoint])).stdout).toMatch(/^200 /);
    const unescaped = ["send", 'say "hi"', "--escaping", "none", "--url", endpoint];
    expect((await command(unescaped)).stdout).toMatch(/^200 /);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    expect([code, stdout]).toEqual([130, `${url}\n`]);
    expect(stderr).not.toMatch(/warning/i);
  });

  it("sends to an endpoint elsewhere, with secrets that it never prints", async () => {
    const endpoint = createServer((_req, res) => res.end()).listen(0, "127.0.0.1");
    whenEnded.push(() => endpoint.close());
    await new Promise((resolve) => endpoint.once("listening", resolve));
    const target = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/hook`;
    const { url, child, ended } = await start(
      "--target",
      target,
      "--header",
      "X-Callback-Token=env:CALLBACK_TOKEN",
      "--json",
    );
    const asked = new Promise((resolve) =>
      endpoint.once("request", (req) => resolve([req.url, req.headers["x-callback-token"]])),
    );
    const sent = await fetch(`${url}send`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Origin: new URL(url).origin },
      body: JSON.stringify({ ...DRAFT, text: "STOP" }),
    });
    expect(sent.status).toBe(200);
    expect(await sent.text()).not.toContain("canary");
    expect(await asked).toEqual(["/hook", "canary-of-the-token"]);
    child.kill("SIGTERM");
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(130);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { ok: true, data: { type: "listening", url, target } },
      { ok: false, error: expect.objectContaining({ code: "interrupted" }) },
    ]);
    expect(stdout + stderr).not.toContain("canary");
  });

  it("exits with 3 if the port is taken, and with 2 if it is no port", async () => {
    const { url } = await start();
    const taken = await commandJson(["simulator", "--port", new URL(url).port]);
    expect([taken.code, taken.json]).toEqual([
      3,
      expect.objectContaining({ error: expect.objectContaining({ code: "port-taken" }) }),
    ]);
    expect((await command(["simulator", "--port", "70000"])).code).toBe(2);
    expect((await command(["simulator", "--target", "http://example.com/"])).code).toBe(2);
  });
});
