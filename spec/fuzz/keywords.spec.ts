// Compares the keywords that the router finds in a text with those of an oracle. As a spec, it is short and uses a
// fixed seed. `npm run fuzz` runs it for minutes from a new seed.

import { expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { incomingSms } from "express-kaleyra-sms";

import { post } from "../support/callbacks";
import { findKeyword } from "./keyword-oracle";
import { expectAll, runOf, TIMEOUT_MS } from "./run-of";
import { typed } from "./typed";

jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);

const RUN = runOf({ seed: 20_261_126, numRuns: 3_000 });

type Matches = Array<{ keyword: string; by: string; rest: string }>;

/** The keywords that the router finds in a text, in the form of the oracle's. */
async function receive(keywords: readonly string[], message: string): Promise<Matches> {
  const matches: Matches = [];
  const sms = incomingSms({
    authenticate: false,
    deduplicate: false,
    logger: { warn: () => undefined, error: () => undefined },
  });
  for (const keyword of keywords) sms.keyword(keyword, ({ by, rest }) => matches.push({ keyword, by, rest }));
  const { status } = await sms.receive(post({ message }));
  expect(status).toBe(200);
  return matches;
}

it(
  "finds the keyword of what people type, and the rest, as the oracle does",
  async () => {
    const seen = { exact: 0, folded: 0, none: 0, rest: 0 };
    await fc.assert(
      fc.asyncProperty(typed, async ({ keywords, text }) => {
        const found = findKeyword(keywords, text);
        fc.pre(found !== "silent");
        const matches = await receive(keywords, text);
        if (found === "none") {
          expect(matches).toEqual([]);
          seen.none++;
          return;
        }
        const { keyword, how, rest } = found;
        expect(matches).toEqual([{ keyword, by: "text", rest: rest ?? (expect.any(String) as unknown) }]);
        seen[how]++;
        if (rest !== undefined && rest !== "") seen.rest++;
      }),
      RUN,
    );
    expectAll(seen);
  },
  TIMEOUT_MS,
);
