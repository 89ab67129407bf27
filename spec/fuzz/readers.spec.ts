// Property tests of the readers, with random bodies and queries. As a spec, they are short and use a fixed seed.
// `npm run fuzz` runs them for minutes from a new seed, and also measures the time of each callback.

import { expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { incomingSms, type IncomingSmsOptions, type Receipt } from "express-kaleyra-sms";
import schema from "express-kaleyra-sms/schema.json";

import { findCuttings } from "./cuttings";
import { sentOverNetwork } from "./network";
import { isBodyOf, isJsonOf, isQueryOf } from "./rendered";
import { expectAll, isLongRun, runOf, TIMEOUT_MS } from "./run-of";
import { imitation, jsonBody, query } from "./sent";

jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);

const RUN = runOf({ seed: 20_261_124, numRuns: 1_500 });

const PRINTED = Object.keys(schema.properties).filter((name) => name !== "parts[n]");
const quiet = {
  authenticate: false,
  deduplicate: false,
  logger: { warn: () => undefined, error: () => undefined },
} as const;

type Content =
  | { readonly method: "GET"; readonly query: string }
  | { readonly method: "POST"; readonly body: string | Buffer; readonly contentType?: string };

/** Receives a callback. Checks that nothing throws, and that the answer fits the event. */
async function receive(callback: Content, options: IncomingSmsOptions = {}): Promise<Receipt> {
  const emitted: string[] = [];
  const sms = incomingSms({ ...quiet, ...options } as IncomingSmsOptions)
    .on("message", () => emitted.push("message"))
    .on("invalid", () => emitted.push("invalid"))
    .on("error", () => emitted.push("error"));
  const receipt = await inLinearTime(callback, () => {
    emitted.length = 0;
    return sms.receive(callback);
  });
  expect([200, 400, 413, 415]).toContain(receipt.status);
  expect(emitted).toEqual([receipt.message === undefined ? "invalid" : "message"]);
  return receipt;
}

/** Generous, but far below the time that a quadratic reader needs for the longest callbacks. */
const budgetMs = (bytes: number): number => 10 + bytes * 0.002;

/** Fails if a callback takes longer than its length allows in each of 6 tries. */
async function inLinearTime(callback: Content, run: () => Promise<Receipt>): Promise<Receipt> {
  if (!isLongRun) return run();
  const { length } = callback.method === "GET" ? callback.query : callback.body;
  let receipt: Receipt;
  for (let tries = 0; ; tries++) {
    const begun = performance.now();
    receipt = await run();
    const ms = performance.now() - begun;
    if (ms <= budgetMs(length)) return receipt;
    if (tries === 5) throw new Error(`${length} characters took ${ms} ms`);
  }
}

it(
  "reads a body by the template so that it renders back unchanged, or as JSON with the values of the JSON",
  async () => {
    const seen = { repaired: 0, json: 0, rejected: 0 };
    await fc.assert(
      fc.asyncProperty(
        jsonBody,
        fc.constantFrom("auto" as const, "none" as const, "json" as const),
        fc.constantFrom(true, true, true, false),
        async ({ profile, body }, escaping, isDeclared) => {
          const { message, problem } = await receive(
            { method: "POST", body },
            { escaping, profile: isDeclared ? profile : undefined },
          );
          const text = body.toString().replace(/^\ufeff/, "");
          if (message === undefined) {
            expect(problem?.raw).toEqual(Buffer.from(body.toString()).equals(body) ? body.toString() : body);
            seen.rejected++;
          } else if (message.repaired || escaping === "none") {
            const { members } = profile.template;
            const literals = members.flatMap(({ name, content }) =>
              "literal" in content ? [[name, content.literal] as const] : [],
            );
            const names = isDeclared ? members.map(({ name }) => name) : PRINTED;
            expect(isBodyOf(text, message.fields, names, new Map(isDeclared ? literals : []))).toBe(true);
            seen.repaired++;
          } else {
            expect(isJsonOf(text, message.fields)).toBe(true);
            seen.json++;
          }
        },
      ),
      RUN,
    );
    expectAll(seen);
  },
  TIMEOUT_MS,
);

it(
  "reads a body that has exactly one reading, and rejects a body that has none or several",
  async () => {
    const seen = { none: 0, one: 0, several: 0 };
    await fc.assert(
      fc.asyncProperty(imitation, async ({ profile, body }) => {
        const sent = { method: "POST", body, contentType: "application/json" } as const;
        const { message, problem } = await receive(sent, { profile, escaping: "none" });
        const text = body.replace(/^[ \t\r\n\ufeff]+/, "");
        const { members } = profile.template;
        const declared = findCuttings(members, text);
        const line = { name: "parts[n]", content: { variable: "parts[n]" } };
        // The page's line of parts may stand in the console although the profile does not declare it.
        const ways = declared.length > 0 ? declared : findCuttings([...members, line], text);
        const [way] = ways;
        if (way === undefined || ways.length > 1) {
          expect(problem?.code).toBe(way === undefined ? "malformed-body" : "ambiguous-body");
          seen[way === undefined ? "none" : "several"]++;
          return;
        }
        // A body with one reading may still lack a required field.
        if (message === undefined) expect(problem?.code).toBe("schema");
        else expect(message.fields).toEqual(present(way));
        seen.one++;
      }),
      RUN,
    );
    expectAll(seen);
  },
  TIMEOUT_MS,
);

function present(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => name === "message" || value !== ""));
}

it(
  "reads only values that the query has, and reads them again from a rewritten query",
  async () => {
    const seen = { read: 0, rejected: 0 };
    await fc.assert(
      fc.asyncProperty(query, async (sent) => {
        const { message, problem } = await receive({ method: "GET", query: sent });
        if (message === undefined) {
          expect(problem?.raw).toBe(sent.replace(/^\?/, ""));
          seen.rejected++;
          return;
        }
        expect(isQueryOf(sent, message.fields)).toBe(true);
        // With the provider's quotes, so that a value keeps its own quotes.
        const rewritten = Object.entries(message.fields)
          .map(
            ([name, value]) =>
              `${encodeURIComponent(name.toWellFormed())}="${encodeURIComponent(value.toWellFormed())}"`,
          )
          .join("&");
        expect((await receive({ method: "GET", query: rewritten })).message?.fields).toEqual(message.fields);
        seen.read++;
      }),
      RUN,
    );
    expectAll(seen);
  },
  TIMEOUT_MS,
);

it(
  "reads or rejects any bytes under any content type",
  async () => {
    const types = fc.constantFrom(
      ...[
        "application/json",
        "text/plain",
        "text/xml",
        "application/x-www-form-urlencoded",
        "application/vnd.a+json",
        "",
      ],
      ...[
        "application/json; charset=utf-16le",
        "text/plain;charset=iso-8859-1",
        "text/html; charset=utf-9",
        "a/b; charset=",
        ";",
        "/",
      ],
    );
    const bytes = fc.oneof(
      jsonBody.map(({ body }) => body),
      query.map((sent) => Buffer.from(sent)),
      fc.uint8Array({ maxLength: 200 }).map((some) => Buffer.from(some)),
      fc.json({ maxDepth: 6 }).map((json) => Buffer.from(json)),
      fc
        .constantFrom("[", '{"a":', '{"a":[')
        .chain((open) => fc.nat(20_000).map((depth) => Buffer.from(open.repeat(depth)))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, types, async (body, contentType) => {
        await receive({ method: "POST", body, contentType });
        await receive({ method: "POST", body: body.toString("latin1"), contentType });
      }),
      RUN,
    );
  },
  TIMEOUT_MS,
);

it(
  "reads what networks send: content types, encodings and charsets that are wrong, and damaged bytes",
  async () => {
    const seen = { read: 0, damaged: 0, rejected: 0 };
    await fc.assert(
      fc.asyncProperty(sentOverNetwork, async ({ contentType, contentEncoding, body, expected }) => {
        const messages: Array<{ text: string | undefined; damaged: boolean }> = [];
        const sms = incomingSms(quiet).on("message", ({ text, damaged }) => messages.push({ text, damaged }));
        const headers = {
          ...(contentType === undefined ? {} : { "Content-Type": contentType }),
          ...(contentEncoding === undefined ? {} : { "Content-Encoding": contentEncoding }),
        };
        const response = await sms.fetch(new Request("https://example.com/sms", { method: "POST", headers, body }));
        if ("text" in expected) {
          expect([response.status, messages]).toEqual([200, [expected]]);
          seen[expected.damaged ? "damaged" : "read"]++;
        } else {
          expect([response.status, await response.json()]).toEqual([
            expected.status,
            expect.objectContaining({ code: expected.code }),
          ]);
          seen.rejected++;
        }
      }),
      RUN,
    );
    expectAll(seen);
  },
  TIMEOUT_MS,
);
