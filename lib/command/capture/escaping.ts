// Whether the provider escapes what it inserts, by all texts that came.

import type { Evidence } from "./evidence.js";
import { notProven, proven, toDo, type Finding } from "./finding.js";
import type { Members } from "./members.js";

/** What all texts say of escaping. Texts that contradict each other settle nothing. */
export function escapingOf(
  texts: readonly Evidence[],
  { isDescribable }: Members,
): { readonly settled: "json" | "none" | undefined; readonly findings: readonly Finding[] } {
  const about = "escaping";
  const last = texts.at(-1);
  const decoding = texts.find((one) => one.decoding !== undefined)?.decoding;
  if (decoding !== undefined)
    return { settled: undefined, findings: [proven("encoding", `The text is ${decoding.name}: decrypt reads it.`)] };
  if (last?.shape.kind === "form" || last?.shape.kind === "query")
    return { settled: undefined, findings: [proven(about, "No JSON comes, so there is nothing to escape in it.")] };

  const decisive = texts.filter((one) => one.isDecisive);
  const kinds = new Set(decisive.map(({ escaping }) => escaping));
  const [kind] = kinds;
  const breaks = texts.map(({ lineBreak }) => lineBreak).filter((one) => one !== undefined);
  const lineBreak = breaks.at(-1);
  if (decisive.length === 0)
    return {
      settled: undefined,
      findings: [
        notProven(about, "The text came without its backslash: it decides nothing."),
        ...lineBreakOf(lineBreak, undefined),
      ],
    };
  if (kinds.size > 1 || kind === undefined)
    return {
      settled: undefined,
      findings: [toDo(about, "Some of it comes escaped and some does not: no setting reads it exactly.")],
    };
  if (kind === "json" && breaks.includes("none"))
    return {
      settled: undefined,
      findings: [toDo(about, "Quotes are escaped and line breaks are not: a text of several lines is not exact.")],
    };
  const says = kind === "json" ? "It comes escaped, as in JSON." : "It comes as it was typed, not escaped.";
  const unreadable = kind === "none" && !isDescribable;
  return {
    settled: unreadable ? undefined : kind,
    findings: [
      proven(about, says),
      ...(unreadable ? [toDo(about, "It cannot be read exactly until the template can be described.")] : []),
      ...lineBreakOf(lineBreak, kind),
    ],
  };
}

function lineBreakOf(lineBreak: Evidence["lineBreak"], escaping: "json" | "none" | undefined): Finding[] {
  const about = "line breaks";
  if (lineBreak === undefined) return [notProven(about, "Not seen yet: send the text of two lines, too.")];
  if (lineBreak === "space")
    return [notProven(about, "The line break came as a space: the phone or the network replaced it.")];
  if (escaping !== undefined && lineBreak !== escaping)
    return [toDo(about, "Line breaks come escaped and quotes do not: a text of several lines is not exact.")];
  return [proven(about, lineBreak === "json" ? "They come escaped." : "They come as they are.")];
}
