// The single findings of `capture`: each says one thing about the provider, and whether it is proven.

import type { Receipt } from "../../answer/receipt.js";
import { maskedNumber } from "../../base/log.js";
import { headerOf } from "../../provider/as-callback.js";
import type { SavedCallback } from "../../provider/saved-callback.js";
import { differences, isExact, type Asked } from "./asked-text.js";
import type { Evidence } from "./evidence.js";
import type { Members } from "./members.js";
import { offsetOf } from "./zone.js";

export interface Finding {
  readonly about: string;
  /** `to do`: something that the user has to change, or to look at. */
  readonly state: "proven" | "not proven" | "to do";
  readonly says: string;
}

const proven = (about: string, says: string): Finding => ({ about, state: "proven", says });
const notProven = (about: string, says: string): Finding => ({ about, state: "not proven", says });
const toDo = (about: string, says: string): Finding => ({ about, state: "to do", says });

/** A media type that can be printed: a caller may send anything. */
const MEDIA_TYPE = /^[\w.+*-]+\/[\w.+*-]+/;

/** How the callback is sent: `POST application/json`. */
export function formName({ method, headers }: SavedCallback): string {
  const sent = headerOf(headers, "content-type");
  if (method === "GET") return method;
  if (sent === undefined) return `${method} without a content type`;
  return `${method} ${MEDIA_TYPE.exec(sent)?.[0].slice(0, 80) ?? "with another content type"}`;
}

export function formOf({ callback, shape }: Evidence): Finding {
  const body = { json: ", JSON", text: ", JSON that breaks on the text", form: ", a form", query: "" }[shape.kind];
  return proven("method", `${formName(callback)}${body}`);
}

/** The fields in order, and what of them is not on the provider's page. */
export function fieldsOf({ names, statics, seen, undescribable }: Members): Finding[] {
  const own = Object.keys(statics);
  const list = own.map(shownName).join(", ");
  return [
    proven("fields", `In this order: ${names.map(shownName).join(", ")}`),
    ...(names.includes("id") ? [] : [toDo("id", "It does not come: without it, no duplicate is recognized.")]),
    ...(own.length === 0
      ? []
      : seen > 1
        ? [proven("static fields", `${list}: the same in ${seen} callbacks`)]
        : [notProven("static fields", `That ${list} always has this value: it came once. Send the text again.`)]),
    ...undescribable.map((why) =>
      toDo("template", `callbackProfile cannot describe it: ${why}. So only proper JSON can be read.`),
    ),
  ];
}

function shownName(name: string): string {
  return /^[\w.[\]-]{1,40}$/.test(name) ? name : JSON.stringify(name.slice(0, 40));
}

export function partsOf({ names, parts }: Members): Finding[] {
  const hasLine = names.includes("parts[n]");
  if (parts === 0 && !hasLine) return [proven("parts", "None come. message.parts has the words of the text.")];
  const which = [...(parts === 0 ? [] : [parts === 1 ? "parts[1]" : `parts[1] to parts[${parts}]`])];
  return [proven("parts", [...which, ...(hasLine ? ["the line parts[n]"] : [])].join(", and "))];
}

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
  if (lineBreak === undefined) return [notProven(about, "How one comes: send the text of two lines, too.")];
  if (lineBreak === "space")
    return [notProven(about, "The line break came as a space: the phone or the network replaced it.")];
  if (escaping !== undefined && lineBreak !== escaping)
    return [toDo(about, "Line breaks come escaped and quotes do not: a text of several lines is not exact.")];
  return [proven(about, lineBreak === "json" ? "They come escaped." : "They come as they are.")];
}

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
  return { isExact: hasAwkward && results.every(({ state }) => state === "proven"), findings: results };
}

function exactnessOf({ field, isLines }: Evidence, receipt: Receipt | undefined, asked: Asked): Finding {
  const about = isLines ? "text of two lines" : "text";
  if (field !== "message" && field !== "parts")
    return toDo(about, `It comes as ${shownName(field)}: in the console, pass it as "message": "<message>".`);
  const { message, problem } = receipt ?? {};
  if (message === undefined)
    return toDo(about, `The options do not read it: ${problem?.code ?? "no answer"}. ${problem?.detail ?? ""}`.trim());
  const { text, parts } = message;
  if (text === undefined) return wordsOf(parts, asked);
  if (isExact(text, asked)) return proven(about, "It comes out of these options exactly as it was asked for.");
  const differs = isLines ? [] : differences(text);
  return notProven(
    about,
    differs.length === 0
      ? "It is another one than was asked for. Send it once more, as it is printed."
      : `It is not as asked for: ${differs.join("; ")}. The phone, the network or a relay changed it.`,
  );
}

/** Under GET, the words may come without the text, and only as many as the endpoint asks for. */
function wordsOf(parts: readonly string[], { awkward }: Asked): Finding {
  const wanted = awkward.split(" ");
  const from = parts.findIndex((part) => part.toLowerCase() === wanted[0]);
  const came = parts.slice(Math.max(from, 0)).map((part, index) => (index === 0 ? part.toLowerCase() : part));
  if (came.length === 0 || came.some((part, index) => part !== wanted[index]))
    return notProven("text", "Its words are not those that were asked for.");
  return proven("text", `${came.length} of its ${wanted.length} words come, exactly as asked for. The text does not.`);
}

/** How numbers come, and what becomes of them. */
export function numbersOf(receipt: Receipt | undefined): {
  readonly findings: readonly Finding[];
  readonly comments: readonly string[];
} {
  const { message } = receipt ?? {};
  if (message === undefined) return { findings: [], comments: [] };
  const numbers = [
    ["source", message.fields.source, message.source],
    ["recipient", message.fields.recipient, message.recipient],
  ] as const;
  const findings = numbers.map(([about, sent = "", made]) => {
    const becomes = made === sent ? "stays" : "becomes";
    const form = `${formOfNumber(sent)}: ${maskedNumber(sent)} ${becomes} ${maskedNumber(made)}`;
    return made.startsWith("+") || !isNational(sent)
      ? proven(about, form)
      : notProven(about, `${form}. Name the country of such numbers: defaultCountry.`);
  });
  const isWithout = numbers.some(([, sent = "", made]) => !made.startsWith("+") && isNational(sent));
  return {
    findings,
    comments: isWithout
      ? ['defaultCountry: "IN", if that is the country of your numbers; npm install libphonenumber-js']
      : [],
  };
}

function isNational(sent: string): boolean {
  return /^\d{7,10}$/.test(sent.replaceAll(/[\s().-]/g, ""));
}

function formOfNumber(sent: string): string {
  if (/^\+[\d\s().-]+$/.test(sent)) return "With + and the country code";
  if (/^00\d+$/.test(sent)) return "With 00 and the country code";
  if (/^[1-9]\d{10,14}$/.test(sent)) return "With the country code, without +";
  if (/^\d{1,6}$/.test(sent)) return "A short code";
  return isNational(sent) ? "Without the country code" : "Not a number with its country code";
}

/** The zone of the timestamp. */
export function zoneIn(
  { receivedAt }: SavedCallback,
  receipt: Receipt | undefined,
): {
  readonly settled: string | undefined;
  readonly utc: string | undefined;
  readonly findings: readonly Finding[];
  readonly comments: readonly string[];
} {
  const about = "timestamp";
  const none = { settled: undefined, utc: undefined, comments: [] };
  const timestamp = receipt?.message?.timestamp;
  if (timestamp === undefined) return { ...none, findings: [notProven(about, "None came.")] };
  const offset = receivedAt === undefined ? undefined : offsetOf(timestamp, receivedAt);
  if (offset === undefined)
    return { ...none, findings: [notProven(about, "Its zone: it does not fit the time of arrival in any zone.")] };
  const { utc, timeZone } = offset;
  return {
    settled: timeZone,
    utc,
    findings: [
      proven(about, `In ${utc}, by the clock of this machine.`),
      notProven("time zone", `Its name: ${timeZone ?? "no zone"} is printed, and others have this offset, too.`),
    ],
    comments: timeZone === undefined ? [`timeZone: the zone of your console, which is ${utc} now`] : [],
  };
}

/** What becomes of all other callbacks that came. */
export function othersOf(
  all: readonly SavedCallback[],
  sameMethod: readonly SavedCallback[],
  texts: readonly Evidence[],
  receipts: readonly Receipt[],
): Finding[] {
  const isAskedFor = (one: SavedCallback): boolean => texts.some(({ callback }) => callback === one);
  const others = receipts.filter((_, index) => {
    const callback = sameMethod[index];
    return callback !== undefined && !isAskedFor(callback);
  });
  const codes = new Map<string, number>();
  for (const { problem } of others)
    if (problem !== undefined) codes.set(problem.code, (codes.get(problem.code) ?? 0) + 1);
  const read = others.filter(({ problem }) => problem === undefined).length;
  const foreign = all.length - sameMethod.length;
  return [
    ...(read === 0 ? [] : [proven("other callbacks", `${read} of ${others.length} are read by these options.`)]),
    ...[...codes].map(([code, count]) =>
      toDo("other callbacks", `${count} of ${others.length} would be rejected: ${code}.`),
    ),
    ...(foreign === 0 ? [] : [toDo("other callbacks", `${foreign} came by another method, and are not read.`)]),
  ];
}
