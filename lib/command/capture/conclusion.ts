// What the callbacks that came show of the provider, line by line: what is proven, what is not, and what to change.

import type { Receipt } from "../../answer/receipt.js";
import { isAbsent } from "../../callback/fields.js";
import type { SavedCallback } from "../../provider/saved-callback.js";
import type { Asked } from "./asked-text.js";
import { callersOf } from "./callers.js";
import { commonDecoding } from "./encoding.js";
import { escapingOf } from "./escaping.js";
import { openedBy, type Evidence } from "./evidence.js";
import { exactness } from "./exactness.js";
import { shownName, type Finding } from "./finding.js";
import { fit } from "./fitting.js";
import { fieldsOf, formOf, partsOf } from "./form.js";
import { membersOf, type Members } from "./members.js";
import { forgottenOf, othersOf } from "./others.js";
import { replay } from "./replay.js";
import { shapeOf } from "./shape.js";
import { numbersOf } from "./numbers.js";
import { zoneIn, type Stamp } from "./zone.js";

export interface Conclusion {
  readonly findings: readonly Finding[];
  /** The module to paste. */
  readonly code: string;
  /** Whether the text that was asked for comes out of the options exactly as it was asked for. */
  readonly isExact: boolean;
  readonly learnt: Readonly<Record<string, unknown>>;
}

export interface Known {
  readonly asked: Asked;
  /** What single callbacks show: `undefined` if the text that was asked for is not in one. */
  readonly evidenceIn: (callback: SavedCallback) => Evidence | undefined;
  /** When a tunnel passed its test in this run. What came before says nothing of it. */
  readonly tunnelTestedAt: string | undefined;
  /** How many callbacks came that are not among those given. */
  readonly forgotten: number;
}

/** Returns what the callbacks show; `undefined` if the text that was asked for has not come. */
export async function conclude(
  callbacks: readonly SavedCallback[],
  { asked, evidenceIn, tunnelTestedAt, forgotten }: Known,
): Promise<Conclusion | undefined> {
  const evidence = callbacks.map(evidenceIn).filter((one) => one !== undefined);
  const awkward = evidence.filter((one) => !one.isLines);
  const latest = awkward.filter((one) => one.isDecisive).at(-1) ?? awkward.at(-1) ?? evidence.at(-1);
  if (latest === undefined) return undefined;

  const sameMethod = callbacks.filter(({ method }) => method === latest.callback.method);
  const texts = evidence.filter(({ callback }) => callback.method === latest.callback.method);
  // No decrypt reads texts of which some are encoded and some are not.
  const basis = { ...latest, decoding: commonDecoding(texts) };
  const shapes = sameMethod.map(shapeOf).filter((one) => one !== undefined);
  const members = membersOf(basis.shape, shapes, openedBy(basis));
  const escaping = escapingOf(texts, members);
  const callers = callersOf(basis.callback);

  const first = fit(basis, members, { escaping: escaping.settled, timeZone: undefined }, []);
  const [firstReceipt] = await replay(first.options, [basis.callback]);
  const open = openedBy(basis);
  const zone = zoneIn(
    sameMethod.flatMap((callback): Stamp[] => {
      const shape = shapeOf(callback);
      const timestamp = shape?.parsed?.get("timestamp") ?? shape?.raw?.get("timestamp") ?? "";
      return isAbsent("timestamp", timestamp) ? [] : [{ callback, timestamp: open(timestamp, "timestamp") }];
    }),
  );
  const numbers = numbersOf(firstReceipt);
  const { options, code } = fit(basis, members, { escaping: escaping.settled, timeZone: zone.settled }, [
    ...callers.comments,
    ...zone.comments,
    ...numbers.comments,
  ]);
  const receipts = await replay(options, sameMethod);
  const receiptOf = ({ callback }: Evidence): Receipt | undefined => receipts[sameMethod.indexOf(callback)];
  const exact = exactness(
    texts.map((one) => ({ evidence: one, receipt: receiptOf(one) })),
    asked,
  );

  return {
    findings: [
      formOf(basis),
      ...fieldsOf(members),
      ...partsOf(members),
      ...escaping.findings,
      ...exact.findings,
      ...numbers.findings,
      ...zone.findings,
      ...othersOf(callbacks, sameMethod, texts, receipts),
      ...forgottenOf(forgotten),
      ...callers.findings,
      betweenOf(basis, texts, tunnelTestedAt),
    ],
    code,
    isExact: exact.isExact && !escaping.isContradicted && texts.length === evidence.length,
    learnt: learntOf(basis, members, {
      escaping: escaping.settled,
      lineBreak: texts.map((one) => one.lineBreak).findLast((one) => one !== undefined),
      zone: zone.utc,
      encoding: texts.some((one) => one.decoding !== undefined) ? "not decided" : "none",
    }),
  };
}

function learntOf(
  { callback, shape, field, decoding }: Evidence,
  { names, parts, statics }: Members,
  settled: Readonly<Record<"escaping" | "lineBreak" | "zone" | "encoding", string | undefined>>,
): Record<string, unknown> {
  return {
    method: callback.method,
    kind: shape.kind === "text" ? "json" : shape.kind,
    escaping: settled.escaping ?? "not decided",
    lineBreak: settled.lineBreak ?? "not decided",
    names: names.map(shownName),
    textIn: shownName(field),
    parts,
    statics: Object.keys(statics).map(shownName),
    zone: settled.zone ?? "not decided",
    encoding: decoding?.name ?? settled.encoding,
  };
}

function betweenOf({ shape }: Evidence, texts: readonly Evidence[], testedAt: string | undefined): Finding {
  const about = "in between";
  const early = texts.filter(({ callback }) => testedAt !== undefined && !((callback.receivedAt ?? "") >= testedAt));
  if (testedAt !== undefined)
    return early.length === 0
      ? { about, state: "proven", says: "The tunnel passes every byte." }
      : {
          about,
          state: "not proven",
          says: `The tunnel passes every byte, and ${early.length} of the texts came before its test.`,
        };
  const hint = shape.isRewritten ? " The body is written as a program writes JSON: a relay may have rewritten it." : "";
  return {
    about,
    state: "not proven",
    says: `That nothing on the way rewrites bodies: run with --tunnel URL, the public address.${hint}`,
  };
}
