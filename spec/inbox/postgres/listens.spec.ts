// The client that listens, when a server is slow and its connections end: there is never more than one.

import { EventEmitter } from "node:events";
import { setTimeout } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import { postgresInbox, type PostgresClient } from "express-kaleyra-sms/postgres";

import { waitFor } from "../waiting";

it("outlives a connection that ends in the turn in which the pool hands it over", async () => {
  const connect = (callback: (error: undefined, client: PostgresClient) => void) => {
    const failure = new Error("terminating connection due to administrator command");
    const client = Object.assign(new EventEmitter(), {
      query: () => Promise.reject(failure),
      release: () => undefined,
    });
    setImmediate(() => {
      callback(undefined, client);
      client.emit("error", failure);
    });
  };
  const inbox = postgresInbox({ pool: Object.assign(new EventEmitter(), { connect, query: connect, end: connect }) });
  await expect(inbox.stats()).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_UNREACHABLE" });
  await inbox.close();
});

it("gives every client back, though one ends while a notification is awaited and the next one is slow", async () => {
  const out = new Set<EventEmitter>();
  let listens = 0;
  let notifies = 0;
  const connect = (callback: (error: undefined, client: PostgresClient) => void) => {
    const client = Object.assign(new EventEmitter(), {
      query: async ({ text }: { text: string }) => {
        if (text.startsWith("LISTEN")) {
          listens++;
          // The second one takes as long as it may.
          if (listens === 2) await setTimeout(4_900);
          return { rows: [] };
        }
        if (!text.includes("pg_notify")) throw new Error("a server that can do nothing else");
        notifies++;
        if (notifies > 1) return { rows: [] };
        for (const one of out) if (one !== client) setImmediate(() => one.emit("end"));
        await setTimeout(4_000);
        return { rows: [] };
      },
      release: () => {
        out.delete(client);
      },
    });
    out.add(client);
    callback(undefined, client);
  };
  const pool = Object.assign(new EventEmitter(), { connect, query: connect, end: connect });
  const inbox = postgresInbox({ pool });
  await inbox.start({ concurrency: 1, handle: () => ({ outcome: "handled" }), failed: () => undefined });
  await waitFor(6_500);
  await inbox.close().catch(() => undefined);
  expect(out.size).toBe(0);
}, 30_000);
