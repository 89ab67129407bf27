// Whether the provider escapes what it inserts, by all texts that came.

import { hasBackslash } from "./asked-text.js";
import { encodingOf } from "./encoding.js";
import type { Evidence } from "./evidence.js";
import { notProven, proven, toDo, type Finding } from "./finding.js";
import type { Members } from "./members.js";
import { valuesOf } from "./percent.js";

export interface Escaping {
  readonly settled: "json" | "none" | undefined;
  /** Whether there are texts that no setting reads exactly. */
  readonly isContradicted: boolean;
  readonly findings: readonly Finding[];
}

const ABOUT = "escaping";

/** What all texts say of escaping. Texts that contradict each other settle nothing. */
export function escapingOf(texts: readonly Evidence[], members: Members): Escaping {
  const encoding = encodingOf(texts);
  if (encoding !== undefined) return { settled: undefined, ...encoding };
  const bodies = texts.filter(({ shape }) => shape.kind === "json" || shape.kind === "text");
  const variables = texts.filter((one) => !bodies.includes(one));
  if (bodies.length === 0)
    return {
      settled: undefined,
      isContradicted: false,
      findings: [proven(ABOUT, "No JSON comes, so there is nothing to escape in it."), valuesOf(variables)],
    };
  const found = ofBodies(bodies, members);
  if (variables.length === 0) return found;
  const says = `${bodies.length} of the texts came as JSON, and ${variables.length} as a form: which is it?`;
  return { ...found, isContradicted: true, findings: [...found.findings, toDo("method", says)] };
}

function ofBodies(texts: readonly Evidence[], { isDescribable }: Members): Escaping {
  const decisive = texts.filter((one) => one.isDecisive);
  const kinds = new Set(decisive.map(({ escaping }) => escaping));
  const [kind] = kinds;
  const breaks = texts.map(({ lineBreak }) => lineBreak).filter((one) => one !== undefined);
  const lineBreak = breaks.at(-1);
  const contradicted = (says: string): Escaping => ({
    settled: undefined,
    isContradicted: true,
    findings: [toDo(ABOUT, says)],
  });
  if (decisive.length === 0)
    return {
      settled: undefined,
      isContradicted: false,
      findings: [notProven(ABOUT, undecided(texts)), ...lineBreakOf(lineBreak, undefined)],
    };
  if (kinds.size > 1 || kind === undefined)
    return contradicted("Some of it comes escaped as in JSON, and some does not: no setting reads it exactly.");
  if (kind === "json" && breaks.includes("none"))
    return contradicted("Quotes are escaped and line breaks are not: a text that has both is not exact.");
  const says = kind === "json" ? "It comes escaped, as in JSON." : "It comes as it was typed, not escaped.";
  const unreadable = kind === "none" && !isDescribable;
  return {
    settled: unreadable ? undefined : kind,
    isContradicted: kind === "none" && breaks.includes("json"),
    findings: [
      proven(ABOUT, says),
      ...(unreadable ? [toDo(ABOUT, "It cannot be read exactly until the template can be described.")] : []),
      ...lineBreakOf(lineBreak, kind),
    ],
  };
}

/** Why no text decides: what is missing in the latest awkward one. */
function undecided(texts: readonly Evidence[]): string {
  const text = texts.findLast(({ isLines }) => !isLines)?.text;
  if (text === undefined) return "Only the text of two lines came: the other one decides it.";
  if (!hasBackslash(text)) return "The text came without its backslash: it decides nothing.";
  return "The backslash and the quotes came otherwise than they were to be typed: they decide nothing.";
}

function lineBreakOf(lineBreak: Evidence["lineBreak"], escaping: "json" | "none" | undefined): Finding[] {
  const about = "line breaks";
  if (lineBreak === undefined) return [notProven(about, "Not seen yet: send the text of two lines, too.")];
  if (lineBreak === "space")
    return [notProven(about, "The line break came as a space: the phone, the network or the provider replaced it.")];
  if (lineBreak === "lost")
    return [notProven(about, "The line break is lost: the phone, the network or the provider left it out.")];
  if (lineBreak === "other") return [toDo(about, "The line break came as something else: no option turns it back.")];
  if (escaping !== undefined && lineBreak !== escaping)
    return [toDo(about, "Line breaks come escaped and quotes do not: a text of several lines is not exact.")];
  return [proven(about, lineBreak === "json" ? "They come escaped." : "They come as they are.")];
}
