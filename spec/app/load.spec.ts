// Many callbacks over many connections: none is lost, none is mixed up, and those of one source stay in order.

import { Agent, request } from "node:http";
import { expect, it } from "@jest/globals";
import express from "express";

import { closeServers, listen, recorder } from "../support/recorder";

const REQUESTS = 20_000;
const CONNECTIONS = 100;

it("handles 20,000 requests over 100 connections once each, unmixed, and in order for each source", async () => {
  const { sms, messages, invalid, duplicates, errors } = recorder();
  // Every third handler is slower, so that callbacks can overtake each other.
  sms.on("message", ({ id }) => (Number(id) % 3 === 0 ? new Promise(setImmediate) : undefined));
  const port = await listen(express().use("/sms", sms));
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const send = (id: number, source: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({ id: `${id}`, source, recipient: "5050", message: `text of ${id} ✓` });
      const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
      const req = request({ port, path: "/sms", method: "POST", agent, headers }, (res) => {
        res.resume().on("end", () => resolve(res.statusCode));
      });
      req.on("error", reject).end(body);
    });

  // Each source sends its callbacks one after the other, over any connection. All sources send concurrently.
  const statuses = new Map<number | undefined, number>();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, connection) => {
      const source = String(910000000000 + connection);
      for (let id = connection; id < REQUESTS; id += CONNECTIONS) {
        const status = await send(id, source);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }),
  );
  agent.destroy();
  await closeServers();

  expect(statuses).toEqual(new Map([[200, REQUESTS]]));
  expect([...invalid, ...duplicates, ...errors]).toEqual([]);
  expect(messages).toHaveLength(REQUESTS);
  expect(new Set(messages.map(({ id }) => id)).size).toBe(REQUESTS);
  expect(messages.filter(({ id, text }) => text !== `text of ${id} ✓`)).toEqual([]);
  const lastOf = new Map<string, number>();
  for (const { id, source } of messages) {
    expect(Number(id)).toBeGreaterThan(lastOf.get(source) ?? -1);
    lastOf.set(source, Number(id));
  }
  expect(lastOf.size).toBe(CONNECTIONS);
}, 120_000);
