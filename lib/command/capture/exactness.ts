// Whether what comes out of the printed options is the text that was asked for.

import type { Receipt } from "../../answer/receipt.js";
import { isExact, type Asked } from "./asked-text.js";
import { differences } from "./differences.js";
import type { Evidence } from "./evidence.js";
import { notProven, proven, shownName, toDo, type Finding } from "./finding.js";

/** Whether what comes out of the printed options is what was asked for. */
export function exactness(
  texts: ReadonlyArray<{ readonly evidence: Evidence; readonly receipt: Receipt | undefined }>,
  asked: Asked,
): { readonly isExact: boolean; readonly findings: readonly Finding[] } {
  const latest = [false, true]
    .map((isLines) => texts.filter(({ evidence }) => evidence.isLines === isLines).at(-1))
    .filter((one) => one !== undefined);
  const results = latest.map(({ evidence, receipt }) => exactnessOf(evidence, receipt, asked));
  const hasAwkward = latest.some(({ evidence }) => !evidence.isLines);
  const changed = texts.filter((one) => !latest.includes(one) && isChanged(one, asked)).length;
  return {
    isExact: hasAwkward && changed === 0 && results.every(({ state }) => state === "proven"),
    findings: [
      ...results,
      ...(changed === 0
        ? []
        : [
            toDo(
              "earlier texts",
              `${changed} of them are not read exactly by these options. ` +
                "If the console was changed in between, start anew with another folder.",
            ),
          ]),
    ],
  };
}

/** Whether the options refuse a text, or change one that came exactly as it was asked for. */
function isChanged(
  { evidence, receipt }: { readonly evidence: Evidence; readonly receipt: Receipt | undefined },
  asked: Asked,
): boolean {
  const { message } = receipt ?? {};
  if (message === undefined) return true;
  return evidence.isFaithful && message.text !== undefined && !isExact(message.text, asked);
}

function exactnessOf({ field, isLines, isFaithful }: Evidence, receipt: Receipt | undefined, asked: Asked): Finding {
  const about = isLines ? "text of two lines" : "text";
  if (field !== "message" && field !== "parts")
    return toDo(about, `It comes as ${shownName(field)}: in the console, pass it as "message": "<message>".`);
  const { message, problem } = receipt ?? {};
  if (message === undefined)
    return toDo(about, `The options do not read it: ${problem?.code ?? "no answer"}. ${problem?.detail ?? ""}`.trim());
  const { text, parts } = message;
  if (text === undefined) return wordsOf(parts, asked);
  if (isExact(text, asked)) return proven(about, "It comes out of these options exactly as it was asked for.");
  const differs = differences(text, asked).join("; ");
  if (isFaithful) return toDo(about, `These options change it: ${differs}.`);
  return notProven(
    about,
    `It is not as asked for: ${differs}. The phone, the network, the provider or a relay changed it.`,
  );
}

/** Under GET, the words may come without the text, and only as many as the endpoint asks for. */
function wordsOf(parts: readonly string[], { awkward }: Asked): Finding {
  const wanted = awkward.split(/ +/);
  const from = parts.findIndex((part) => part.toLowerCase() === wanted[0]);
  const came = parts.slice(Math.max(from, 0)).map((part, index) => (index === 0 ? part.toLowerCase() : part));
  if (came.length === 0 || came.some((part, index) => part !== wanted[index]))
    return notProven("text", "Its words are not those that were asked for.");
  return proven("text", `${came.length} of its ${wanted.length} words come, exactly as asked for. The text does not.`);
}
