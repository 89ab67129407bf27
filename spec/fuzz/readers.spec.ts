// The readers of bodies and queries on what nobody thought of. Short here, and the same each time; `npm run fuzz` goes on for minutes, from
// another seed each time, and watches the time that each callback takes.

import { expect, it, jest } from "@jest/globals";
import fc, { type Parameters } from "fast-check";
import { incomingSms, type IncomingSmsOptions, type Receipt } from "express-kaleyra-sms";
import schema from "express-kaleyra-sms/schema.json";

import { cuttings } from "./cuttings";
import { isReadFrom, isRenderedTo, isSaidBy } from "./rendered";
import { imitation, jsonBody, query } from "./sent";

jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);

const { FUZZ_SECONDS, FUZZ_SEED } = process.env;
const minutes: Parameters<unknown> = {
  seed: Number(FUZZ_SEED),
  numRuns: Infinity,
  maxSkipsPerRun: Infinity,
  plugins: [fc.interruptAfterTimeLimit((Number(FUZZ_SECONDS) * 1_000) / 4)],
};
const RUN: Parameters<unknown> = FUZZ_SECONDS === undefined ? { seed: 20_261_124, numRuns: 1_500 } : minutes;
const PATIENCE_MS = FUZZ_SECONDS === undefined ? 60_000 : Number(FUZZ_SECONDS) * 1_000 + 60_000;

const PRINTED = Object.keys(schema.properties).filter((name) => name !== "parts[n]");
const quiet = {
  authenticate: false,
  deduplicate: false,
  logger: { warn: () => undefined, error: () => undefined },
} as const;

type Content =
  | { readonly method: "GET"; readonly query: string }
  | { readonly method: "POST"; readonly body: string | Buffer; readonly contentType?: string };

/** A callback is received without a throw, and answered as it should be. */
async function receive(callback: Content, options: IncomingSmsOptions = {}): Promise<Receipt> {
  const emitted: string[] = [];
  const sms = incomingSms({ ...quiet, ...options })
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

/** Generous, and far below what a quadratic reader takes for the longest. */
const budgetMs = (bytes: number): number => 10 + bytes * 0.002;

/** Fails where a callback takes longer than its length allows, and does so again each time that it is tried. */
async function inLinearTime(callback: Content, take: () => Promise<Receipt>): Promise<Receipt> {
  if (FUZZ_SECONDS === undefined) return take();
  const { length } = callback.method === "GET" ? callback.query : callback.body;
  let receipt: Receipt;
  for (let tries = 0; ; tries++) {
    const begun = performance.now();
    receipt = await take();
    const ms = performance.now() - begun;
    if (ms <= budgetMs(length)) return receipt;
    if (tries === 5) throw new Error(`${length} characters took ${ms} ms`);
  }
}

it(
  "a body that is read by a template renders back to what was sent, and one that is read as JSON says what JSON says",
  async () => {
    const seen = { repaired: 0, json: 0, refused: 0 };
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
            seen.refused++;
          } else if (message.repaired) {
            const { members } = profile.template;
            const literals = members.flatMap(({ name, content }) =>
              "literal" in content ? [[name, content.literal] as const] : [],
            );
            const names = isDeclared ? members.map(({ name }) => name) : PRINTED;
            expect(isRenderedTo(text, message.fields, names, new Map(isDeclared ? literals : []))).toBe(true);
            seen.repaired++;
          } else {
            expect(isReadFrom(text, message.fields)).toBe(true);
            seen.json++;
          }
        },
      ),
      RUN,
    );
    if (FUZZ_SECONDS !== undefined) console.log(seen);
    for (const times of Object.values(seen)) expect(times).toBeGreaterThan(100);
  },
  PATIENCE_MS,
);

it(
  "a body has the one reading that there is, and is refused where there is none or more than one",
  async () => {
    const seen = { none: 0, one: 0, several: 0 };
    await fc.assert(
      fc.asyncProperty(imitation, async ({ profile, body }) => {
        const { message, problem } = await receive({ method: "POST", body }, { profile, escaping: "none" });
        const ways = cuttings(profile.template.members, body.replace(/^\ufeff/, ""));
        const [way] = ways;
        if (way === undefined || ways.length > 1) {
          expect(problem?.code).toBe(way === undefined ? "malformed-body" : "ambiguous-body");
          seen[way === undefined ? "none" : "several"]++;
          return;
        }
        // Read, it may still lack a field.
        if (message === undefined) expect(problem?.code).toBe("schema");
        else expect(message.fields).toEqual(present(way));
        seen.one++;
      }),
      RUN,
    );
    if (FUZZ_SECONDS !== undefined) console.log(seen);
    for (const times of Object.values(seen)) expect(times).toBeGreaterThan(100);
  },
  PATIENCE_MS,
);

function present(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => name === "message" || value !== ""));
}

it(
  "a query holds what is read from it, and reads the same when it is written anew",
  async () => {
    const seen = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(query, async (sent) => {
        const { message, problem } = await receive({ method: "GET", query: sent });
        if (message === undefined) {
          expect(problem?.raw).toBe(sent.replace(/^\?/, ""));
          seen.refused++;
          return;
        }
        expect(isSaidBy(sent, message.fields)).toBe(true);
        // In the provider's quotes, so that a value's own pair of them stays.
        const anew = Object.entries(message.fields)
          .map(
            ([name, value]) =>
              `${encodeURIComponent(name.toWellFormed())}="${encodeURIComponent(value.toWellFormed())}"`,
          )
          .join("&");
        expect((await receive({ method: "GET", query: anew })).message?.fields).toEqual(message.fields);
        seen.read++;
      }),
      RUN,
    );
    if (FUZZ_SECONDS !== undefined) console.log(seen);
    for (const times of Object.values(seen)) expect(times).toBeGreaterThan(100);
  },
  PATIENCE_MS,
);

it(
  "any bytes under any content type are read or refused",
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
  PATIENCE_MS,
);
