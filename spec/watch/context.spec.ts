// What a subscriber of the channels binds to them is there in handlers and in the inbox. Subscribers cost no callback.

import { execFile } from "node:child_process";
import { AsyncLocalStorage } from "node:async_hooks";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";
import express from "express";
import type { CallbackTrace, Inbox } from "express-kaleyra-sms";

import { callback, post } from "../support/callbacks";
import { closeServers, deferred, listen, open, recorder, until, type SomeOptions } from "../support/recorder";
import { ended } from "../inbox/temporary";
import { bind, published, subscribe, tracesOf } from "./traces";

const ROOT = join(__dirname, "..", "..");
const LATER = (): Promise<unknown> => new Promise(setImmediate);

/** A store in which each callback finds its own trace. */
function bound(): AsyncLocalStorage<CallbackTrace> {
  const storage = new AsyncLocalStorage<CallbackTrace>();
  bind("callback", storage, (trace) => trace);
  return storage;
}

/** The head and the body of a request in two chunks, which are sent one after the other. */
function inChunks(id: string): [string, string] {
  const body = JSON.stringify(callback({ id, source: id }));
  const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
  return [head + chunk(body.slice(0, 20)), `${chunk(body.slice(20))}0\r\n\r\n`];
}

describe("an AsyncLocalStorage that is bound to the channel of callbacks", () => {
  it.each([
    ["without a check", {}],
    ["after an asynchronous check", { authenticate: async () => LATER().then(() => true) }],
  ] as Array<[string, SomeOptions]>)(
    "is there in the handlers of each callback on a shared connection, whose bodies come in chunks: %s",
    async (_case, options) => {
      const storage = bound();
      const { sms } = recorder(options);
      const seen: Array<[id: string, trace: CallbackTrace | undefined]> = [];
      sms.on("message", async ({ id }) => {
        seen.push([id, storage.getStore()]);
        await LATER();
        seen.push([id, storage.getStore()]);
      });
      ended.push(closeServers);
      const all = published(["callback"]);
      const begun = [deferred(), deferred(), deferred()];
      let count = 0;
      subscribe("callback", "start", () => begun[count++]?.resolve());
      const socket = await open(await listen(express().use(sms)));
      for (const [n, arrived] of begun.entries()) {
        const [first, rest] = inChunks(`${n}`);
        const answered = until(socket, "200 OK");
        answered.catch(() => undefined);
        socket.write(first);
        await arrived.promise;
        socket.write(rest);
        await answered;
        socket.removeAllListeners("data").removeAllListeners("close");
      }
      socket.destroy();
      const traces = tracesOf(all, "callback");
      expect(traces.map(({ result }) => result?.message?.id)).toEqual(["0", "1", "2"]);
      expect(new Set(traces).size).toBe(3);
      expect(seen).toEqual(["0", "0", "1", "1", "2", "2"].map((id) => [id, traces[Number(id)]]));
      for (const [id, trace] of seen) expect(trace).toBe(traces[Number(id)]);
    },
  );

  it("is there in handlers of fetch and receive, also of a message that waits for its turn", async () => {
    const storage = bound();
    const { sms } = recorder();
    const seen: Array<[string, CallbackTrace | undefined]> = [];
    sms.on("message", async ({ id }) => {
      await LATER();
      seen.push([id, storage.getStore()]);
    });
    const body = (id: string): string => JSON.stringify(callback({ id, source: "1" }));
    const web = (id: string) =>
      new Request("http://127.0.0.1", {
        method: "POST",
        body: new Blob([body(id)]).stream(),
        duplex: "half",
      });
    await Promise.all([sms.receive({ method: "POST", body: body("a") }), sms.fetch(web("b")), sms.fetch(web("c"))]);
    expect(seen.map(([, trace]) => trace?.result?.message?.id)).toEqual(seen.map(([id]) => id));
    expect(seen).toHaveLength(3);
  });

  it("is there in the store of the inbox, as is one that is bound to the channel of stores", async () => {
    const ofCallback = bound();
    const ofStore = new AsyncLocalStorage<string>();
    bind("inbox.store", ofStore, ({ message }) => `store of ${message.id}`);
    const seen: unknown[] = [];
    const inbox: Inbox = {
      store: async ({ id }) => {
        await LATER();
        seen.push([id, ofCallback.getStore()?.method, ofStore.getStore()]);
        return "stored";
      },
      start: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const { sms } = recorder({ inbox });
    await sms.receive(post({ id: "a" }));
    expect(seen).toEqual([["a", "POST", "store of a"]]);
    await sms.close();
  });

  it("is that of the caller who is turned away, not of the one that takes its place", async () => {
    const storage = bound();
    const check = deferred<boolean>();
    const { sms } = recorder({ maxInFlight: 1, authenticate: () => check.promise });
    const seen: unknown[] = [];
    sms.on("busy", () => seen.push(storage.getStore()));
    const all = published(["callback"]);
    const request = () => sms.fetch(new Request("http://127.0.0.1/?id=1&source=2&recipient=3"));
    const [first, second] = [request(), request()];
    expect((await first).status).toBe(503);
    check.resolve(true);
    expect((await second).status).toBe(200);
    const traces = tracesOf(all, "callback");
    expect(traces).toHaveLength(2);
    expect(seen[0]).toBe(traces[0]);
  });
});

it("an AsyncLocalStorage that is bound to the channel of handlers is there in each of them only", async () => {
  const storage = new AsyncLocalStorage<string>();
  bind("handler", storage, ({ event }) => event);
  const { sms } = recorder();
  const seen: unknown[] = [];
  sms.keyword("STOP", async () => {
    seen.push(storage.getStore());
    await LATER();
    seen.push(storage.getStore());
  });
  sms.on("message", async () => {
    await LATER();
    seen.push(storage.getStore());
  });
  await sms.receive(post({ message: "STOP" }));
  expect(seen).toEqual(["keyword", "keyword", "message"]);
  expect(storage.getStore()).toBe(undefined);
});

it("a subscriber that throws costs no callback: Node makes of it an uncaught exception", async () => {
  const code = `
    const { AsyncLocalStorage } = require("node:async_hooks");
    const { tracingChannel } = require("node:diagnostics_channel");
    const { incomingSms } = require("express-kaleyra-sms");
    const { memoryInbox, settled } = require("express-kaleyra-sms/testing");
    const thrown = [];
    process.on("uncaughtException", ({ message }) => thrown.push(message));
    for (const name of ["callback", "handler", "inbox.store"]) {
      const channel = tracingChannel("express-kaleyra-sms." + name);
      for (const moment of ["start", "end", "asyncStart", "asyncEnd", "error"])
        channel[moment].subscribe(() => { throw new Error(name + "." + moment); });
      channel.start.bindStore(new AsyncLocalStorage(), () => { throw new Error(name + ".bound"); });
    }
    (async () => {
      const outcomes = [];
      const logger = { warn() {}, error() {} };
      for (const inbox of [undefined, memoryInbox({ attempts: 1 })]) {
        const sms = incomingSms({ authenticate: false, inbox, logger });
        sms.on("message", ({ text }) => { if (text === "fails") throw new Error("no"); });
        for (const message of ["hello", "fails"]) {
          const body = { id: message, source: "1", recipient: "2", message };
          outcomes.push((await sms.receive({ method: "POST", body })).outcome);
        }
        await settled(sms);
        await sms.close();
      }
      await new Promise(setImmediate);
      console.log(JSON.stringify({ outcomes, thrown: [...new Set(thrown)].sort() }));
    })();`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", code], { cwd: ROOT });
  const moments = ["asyncEnd", "asyncStart", "bound", "end", "start"];
  expect(JSON.parse(stdout)).toEqual({
    outcomes: ["handled", "failed", "stored", "stored"],
    thrown: [
      ...moments.map((one) => `callback.${one}`),
      ...[...moments, "error"].map((one) => `handler.${one}`),
      ...moments.map((one) => `inbox.store.${one}`),
    ].sort(),
  });
});

it("the channels take subscribers that come and go while callbacks run", async () => {
  const { sms } = recorder();
  const all: Array<string | undefined> = [];
  let toggled = 0;
  let leave: (() => void) | undefined;
  const toggle = (): void => {
    toggled++;
    leave?.();
    const subscriber = ({ result }: CallbackTrace): void => void all.push(result?.message?.id);
    leave = leave === undefined ? subscribe("callback", "asyncEnd", subscriber) : undefined;
  };
  sms.on("message", async ({ id }) => {
    if (Number(id) % 3 === 0) toggle();
    await new Promise(setImmediate);
    if (Number(id) % 5 === 0) toggle();
  });
  const sent = Array.from({ length: 60 }, (_, n) => post({ id: `${n}`, source: `${n}` }));
  const receipts = await Promise.all(sent.map((one) => sms.receive(one)));
  expect(receipts.map(({ outcome }) => outcome)).toEqual(sent.map(() => "handled"));
  expect(toggled).toBe(32);
  expect([new Set(all).size, all.length > 0]).toEqual([all.length, true]);
  // It began before there was a subscriber.
  expect(all).not.toContain("0");
});
