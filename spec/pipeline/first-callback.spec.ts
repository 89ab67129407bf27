// What the first valid callback, and an SMS without a handler, say of the set-up.

import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { callbackProfile, incomingSms, type Callback, type IncomingSmsOptions } from "express-kaleyra-sms";

import { callback, post } from "../support/callbacks";

afterEach(() => void jest.restoreAllMocks());

/** The lines for the logger's `info` that some callbacks cause. */
async function linesOf(callbacks: readonly Callback[], options: IncomingSmsOptions = {}): Promise<string[]> {
  const lines: string[] = [];
  const logger = { info: (line: string) => lines.push(line), warn: () => undefined, error: () => undefined };
  const sms = incomingSms({ authenticate: false, logger, ...options });
  sms.on("message", () => undefined);
  for (const one of callbacks) await sms.receive(one);
  return lines;
}

describe("the first valid callback", () => {
  it("is one line for the logger, if it has a method info", async () => {
    const invalid: Callback = { method: "POST", body: "{" };
    const lines = await linesOf([invalid, post({ message: 'say "c4n4ry"' }), post(), post()]);
    expect(lines).toEqual([
      "express-kaleyra-sms: The first callback came: POST without a content type, text escaped, no keyword, fields as declared, " +
        "no timestamp. (first-callback)",
    ]);
    const sms = incomingSms({ authenticate: false, logger: { warn: () => undefined, error: () => undefined } });
    expect(await sms.on("message", () => undefined).receive(post())).toMatchObject({ outcome: "handled" });
  });

  it.each<[string, Callback, IncomingSmsOptions]>([
    ["GET, a keyword,", { method: "GET", query: "id=1&source=919876543210&recipient=5050&keyword=STOP" }, {}],
    ["POST application/json,", { ...post(), contentType: "application/json; charset=utf-8" }, {}],
    ["POST with another content type,", { ...post(), contentType: "text/c4n4ry" }, {}],
    ["other fields than declared", { method: "POST", body: { id: "1", source: "1", recipient: "2", message: "" } }, {}],
    [
      "text not escaped",
      {
        method: "POST",
        body: callbackProfile({ method: "POST", url: "https://example.com" }).render(
          { id: "1", source: "1", recipient: "2", message: 'say "hi"' },
          { escaping: "none" },
        ).body,
      },
      {},
    ],
    ["text nothing to escape in it", post({ message: "c4n4ry" }), {}],
  ])("says: %s", async (text, one, options) => {
    const [line = ""] = await linesOf([one], options);
    expect(line).toContain(text);
    expect(line).not.toMatch(/c4n4ry|98765/);
  });

  it.each([
    [0, "UTC+00:00"],
    [330, "UTC+05:30"],
    [-480, "UTC-08:00"],
    [60 * 24 * 3, "no zone that its arrival shows"],
  ])("says in which zone its timestamp is: %d minutes ahead", async (minutes, zone) => {
    const timestamp = new Date(Date.now() + minutes * 60_000).toISOString().slice(0, 19).replace("T", " ");
    const [line] = await linesOf([post(callback({ timestamp }))]);
    expect(line).toContain(`timestamp in ${zone}.`);
  });
});

describe("an SMS that meets no handler", () => {
  it("causes one process warning", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockReturnValue();
    const sms = incomingSms({ authenticate: false, logger: { warn: () => undefined, error: () => undefined } });
    sms.keyword("STOP", () => undefined);
    await sms.receive(post({ message: "stop" }));
    expect(warn).not.toHaveBeenCalled();
    await sms.receive(post({ message: "hello" }));
    await sms.receive(post({ message: "hello" }));
    expect(warn.mock.calls).toMatchObject([[expect.any(String), { code: "KALEYRA_SMS_NO_HANDLER" }]]);
  });
});
