// `profile print`: what to paste into the console.

import { describe, expect, it } from "@jest/globals";
import { callbackProfile } from "express-kaleyra-sms";
import { CODE, profile, URL } from "../support/profile-command";

describe("profile print", () => {
  it("prints each field of the console to be pasted, and where the values of headers come from", async () => {
    const { code, stdout } = await profile(["print", ...CODE, "--parts", "1", "--static", "tenant=acme"]);
    expect(code).toBe(0);
    const [, endpoint = ""] = /^Enter Endpoint:\n(.*)$/m.exec(stdout) ?? [];
    const [, body = ""] = /^Request Body.*:\n(\{[^}]*\})$/m.exec(stdout) ?? [];
    expect(callbackProfile.parse(body, { url: endpoint })).toEqual(
      callbackProfile({ method: "POST", url: URL, parts: 1, statics: { tenant: "acme" } }),
    );
    expect(stdout).toContain("HTTP method: POST\n\n");
    expect(stdout).toContain("X-Callback-Token: (the value of CALLBACK_TOKEN)\n");
    const order = ["Title:", "HTTP method:", "Enter Endpoint:", "Custom HTTP headers:", "Request Body", "Trigger URL"];
    const places = order.map((field) => stdout.indexOf(field));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it("prints the endpoint of GET, and no body", async () => {
    const { stdout } = await profile(["print", "--url", URL, "--method", "GET", "--json"]);
    const { endpoint } = callbackProfile({ method: "GET", url: URL });
    expect(JSON.parse(stdout)).toEqual({ ok: true, data: { method: "GET", endpoint, headers: [] } });
    const { stdout: text } = await profile(["print", "--url", URL, "--method", "GET"]);
    expect(text).toContain(`Enter Endpoint:\n${endpoint}\n`);
    expect(text).not.toContain("Request Body");
    expect(text).toMatch(/^HTTP method: GET\n\(GET passes the keyword and the requested parts, and not the text/m);
    expect(text).toContain("(none is declared: without a secret");
  });
});
