// The limit on callbacks in flight, through the HTTP stack.

import { afterEach, describe, expect, it } from "@jest/globals";

import { callback } from "../support/callbacks";
import { closeServers, deferred, listen, recorder } from "../support/recorder";

afterEach(closeServers);

/** Sends valid callbacks to a port. */
function sender(port: number): (headers?: Record<string, string>) => Promise<number> {
  return async (headers = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      body: JSON.stringify(callback()),
      headers,
    });
    return response.status;
  };
}

/** A function for options.authenticate whose result the spec gives, when it calls a function in `running`. */
function slowCheck() {
  const running: Array<(isAllowed: boolean) => void> = [];
  return {
    running,
    check: () => new Promise<boolean>((resolve) => running.push(resolve)),
    reaches: async (count: number) => {
      while (running.length < count) await new Promise(setImmediate);
    },
  };
}

describe("callers that a function checks", () => {
  it("never keep the provider out: the longest running check is answered 503, and its result is ignored", async () => {
    const { running, check, reaches } = slowCheck();
    const { sms, messages, unauthorized } = recorder({
      maxInFlight: 3,
      authenticate: ({ headers }) => headers["x-callback-token"] === "s3cret" || check(),
    });
    const send = sender(await listen(sms));
    const strangers: Array<Promise<number>> = [];
    for (let count = 1; count <= 20; count++) {
      strangers.push(send());
      await reaches(count);
    }
    expect(await Promise.all(strangers.slice(0, 17))).toEqual(Array(17).fill(503));
    expect(await send({ "X-Callback-Token": "s3cret" })).toBe(200);
    expect(await strangers[17]).toBe(503);
    running.forEach((settle, n) => settle(n < 17));
    expect(await Promise.all(strangers.slice(18))).toEqual([403, 403]);
    expect(unauthorized).toHaveLength(2);
    expect(messages).toHaveLength(1);
  });

  it("take no slot of callbacks that are being read or handled", async () => {
    const { running, check, reaches } = slowCheck();
    const { sms, messages } = recorder({ maxInFlight: 1, authenticate: check });
    const handled = deferred();
    sms.on("message", () => handled.promise);
    const send = sender(await listen(sms));
    const provider = send();
    await reaches(1);
    running[0]?.(true);
    while (messages.length < 1) await new Promise(setImmediate);
    const stranger = send();
    await reaches(2);
    running[1]?.(false);
    expect(await stranger).toBe(403);
    handled.resolve();
    expect(await provider).toBe(200);
  });
});

it("rejects at most maxInFlight callers at once, which take no slots of callers that functions check", async () => {
  const secret = { header: "X-Callback-Token", value: "s3cret" };
  const { sms, unauthorized } = recorder({ maxInFlight: 2, authenticate: [secret, () => Promise.resolve(true)] });
  const saved = deferred();
  sms.on("unauthorized", () => saved.promise);
  const send = sender(await listen(sms));
  const strangers = [send(), send()];
  while (unauthorized.length < 2) await new Promise(setImmediate);
  expect(await send()).toBe(503);
  expect(await send({ "X-Callback-Token": "s3cret" })).toBe(200);
  saved.resolve();
  expect(await Promise.all(strangers)).toEqual([403, 403]);
  expect(unauthorized).toHaveLength(2);
});
