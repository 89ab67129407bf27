// What people type, a text a line in lists/, and what the consent patterns make of it. The lists were written by hand,
// apart from the patterns.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, jest } from "@jest/globals";
import { incomingSms, OPT_IN, OPT_OUT, POSSIBLE_OPT_OUT } from "express-kaleyra-sms";

import { post } from "../support/callbacks";

jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);

type Fate = "optsOut" | "reachesPerson" | "optsIn";

/** The texts of a list, by what becomes of each. */
async function fatesOf(list: string): Promise<Record<Fate | "reachesNobody", string[]>> {
  const fates: Fate[] = [];
  const sms = incomingSms({
    authenticate: false,
    deduplicate: false,
    logger: { warn: () => undefined, error: () => undefined },
  })
    .keyword(OPT_OUT, () => void fates.push("optsOut"))
    .keyword(POSSIBLE_OPT_OUT, () => void fates.push("reachesPerson"))
    .keyword(OPT_IN, () => void fates.push("optsIn"));
  const texts: Record<Fate | "reachesNobody", string[]> = {
    optsOut: [],
    reachesPerson: [],
    optsIn: [],
    reachesNobody: [],
  };
  const typed = readFileSync(join(__dirname, "lists", `${list}.txt`), "utf8");
  for (const message of typed.trimEnd().split("\n")) {
    fates.length = 0;
    await sms.receive(post({ message }));
    if (fates.length === 0) texts.reachesNobody.push(message);
    for (const fate of fates) texts[fate].push(message);
  }
  return texts;
}

describe.each(["opt-outs", "opt-outs-2"])("of the hundred %s", (list) => {
  it("at most 3 reach nobody, at most 20 a person only, and none opts in", async () => {
    const { reachesPerson, reachesNobody, optsIn } = await fatesOf(list);
    if (reachesNobody.length > 3) expect(reachesNobody).toEqual([]);
    if (reachesPerson.length > 20) expect(reachesPerson).toEqual([]);
    expect(optsIn).toEqual([]);
  });
});

describe.each(["ordinary", "ordinary-2"])("of the hundred texts of %s, with words of an opt-out or opt-in", (list) => {
  it("at most 5 opt out, and none opts in", async () => {
    const { optsOut, optsIn } = await fatesOf(list);
    if (optsOut.length > 5) expect(optsOut).toEqual([]);
    expect(optsIn).toEqual([]);
  });
});

describe("an opt-in", () => {
  it("is exact", async () => {
    expect((await fatesOf("opt-ins-exact")).optsIn).toHaveLength(15);
  });

  it.each(["opt-ins", "opt-ins-2"])("is no text of %s, which are only near one", async (list) => {
    expect((await fatesOf(list)).optsIn).toEqual([]);
  });
});
