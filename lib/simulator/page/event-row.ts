// One row of the list of events: a line, and what it opens.

import type { CallbackEvent, FailureEvent, HandlerEvent } from "../wire.js";
import { element, isolated, milliseconds } from "./element.js";
import { shownBody, shownText } from "./shown-text.js";

export interface Row {
  readonly item: HTMLLIElement;
  /** What a filter looks at, in lower case. */
  readonly words: string;
  addHandler(handler: HandlerEvent): void;
}

/** How an outcome looks: as what it means for the message. */
const TONES: Readonly<Record<string, "good" | "calm" | "warn" | "bad">> = {
  handled: "good",
  stored: "good",
  duplicate: "calm",
  unauthorized: "warn",
  busy: "warn",
};

export function callbackRow(event: CallbackEvent): Row {
  const { at, method, outcome, status, durationMs, message, problem, detail, body, sent } = event;
  const tone = TONES[outcome] ?? (outcome === "answered" && status !== undefined && status < 300 ? "good" : "bad");
  const typed = message?.text ?? sent;
  const what = typed ?? problem?.issues.map(({ field, message: says }) => `${field} ${says}`)[0] ?? detail ?? "";
  const chips = element("span", { class: "chips" });
  if (message?.hasWordsOnly === true)
    chips.append(element("span", { class: "chip" }, message.text === "" ? "no text" : "words only, no text"));
  const summary = element(
    "summary",
    {},
    element("span", { class: `pill ${tone}` }, outcome),
    isolated(what, typed === undefined ? "what why" : "what"),
    element(
      "span",
      { class: "numbers" },
      [...(status === undefined ? [] : [status]), milliseconds(durationMs)].join(" · "),
    ),
    chips,
    element("span", { class: "when" }, `${method} · `, element("time", { datetime: at }, time(at))),
  );
  const handlers: HandlerEvent[] = [];
  const details = opened(summary, () => [
    ...(sent === undefined ? [] : [element("p", { class: "full", dir: "auto" }, sent)]),
    ...(problem === undefined && detail !== undefined ? [element("p", {}, detail)] : []),
    ...(problem === undefined ? [] : problemParts(problem, detail)),
    ...(message === undefined ? [] : messageParts(message)),
    ...(handlers.length === 0 ? [] : [handlerTable(handlers)]),
    ...(status === undefined ? [] : answerParts(status, body)),
  ]);
  const { code = "" } = problem ?? {};
  return {
    item: element("li", {}, details),
    words: [
      outcome,
      method,
      status ?? "",
      what,
      code,
      detail,
      message?.source,
      message?.recipient,
      message?.keyword,
      at,
    ]
      .join("\n")
      .toLowerCase(),
    addHandler: (handler) => {
      handlers.push(handler);
      chips.append(chip(handler));
      if (details.open) details.dispatchEvent(new Event("toggle"));
    },
  };
}

export function failureRow({ at, message }: FailureEvent): Row {
  const summary = element(
    "summary",
    {},
    element("span", { class: "pill bad" }, "inbox failed"),
    isolated(message, "what"),
    element("span", { class: "when" }, element("time", { datetime: at }, time(at))),
  );
  return {
    item: element(
      "li",
      {},
      opened(summary, () => [element("p", {}, message)]),
    ),
    words: `inbox failed\n${message}`.toLowerCase(),
    addHandler: () => undefined,
  };
}

/** Its content is made when it is opened: most rows never are. */
function opened(summary: HTMLElement, content: () => HTMLElement[]): HTMLDetailsElement {
  const inside = element("div", { class: "inside" });
  const details = element("details", {}, summary, inside);
  details.addEventListener("toggle", () => inside.replaceChildren(...(details.open ? content() : [])));
  return details;
}

function time(at: string): string {
  const date = new Date(at);
  return `${date.toLocaleTimeString("en-GB")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function chip({ event, keyword, result, durationMs, attempt, final }: HandlerEvent): HTMLElement {
  const name = keyword === undefined ? event : `${event} ${keyword}`;
  const retry = attempt === 1 ? "" : `, attempt ${attempt}${final ? ", the last" : ""}`;
  const outcome = result === "ok" ? "" : ` ${result === "error" ? "failed" : "timed out"}`;
  return element(
    "span",
    { class: `chip ${result === "ok" ? "" : "bad"}` },
    isolated(`${name}${outcome}`),
    ` ${milliseconds(durationMs)}${retry}`,
  );
}

function answerParts(status: number, body: string): HTMLElement[] {
  if (body === "") return [element("p", {}, `Answered ${status} without a body.`)];
  const shown = element("pre", { tabindex: "0", "aria-label": "Body of the answer" }, shownBody(body));
  return [element("p", {}, `Answered ${status} with this body:`), shown];
}

function problemParts(
  { code, issues, raw, places }: NonNullable<CallbackEvent["problem"]>,
  detail = "",
): HTMLElement[] {
  const why = element("p", {}, element("code", {}, code), ` ${detail}`);
  const list = element("ul", { class: "issues" });
  // What the sentence says already is not said again.
  const others = issues.filter(({ message }) => !detail.includes(message));
  for (const { field, message } of others) list.append(element("li", {}, element("code", {}, field), ` ${message}`));
  const sent = element("pre", { tabindex: "0", "aria-label": "What was sent" }, shownText(raw, places));
  return [
    why,
    ...(others.length === 0 ? [] : [list]),
    ...(raw === "" ? [element("p", {}, "Nothing was sent.")] : [sent]),
  ];
}

function messageParts({
  text,
  source,
  recipient,
  repaired,
  damaged,
  hasWordsOnly,
  fields,
}: NonNullable<CallbackEvent["message"]>): HTMLElement[] {
  const flags = [
    ...(hasWordsOnly ? ["The callback has no text: handlers get its words as parts. Keywords match these words."] : []),
    ...(repaired ? ["The body was not valid JSON, and was read by the template."] : []),
    ...(damaged ? ["Some bytes of the text were not valid."] : []),
  ];
  const list = element("dl");
  for (const [name, value] of Object.entries(fields))
    list.append(element("dt", {}, shownText(name)), element("dd", { dir: "auto" }, value));
  return [
    element("p", { class: "full", dir: "auto" }, text),
    element("p", { class: "route" }, isolated(source), " → ", isolated(recipient)),
    ...flags.map((flag) => element("p", {}, flag)),
    list,
  ];
}

function handlerTable(handlers: readonly HandlerEvent[]): HTMLElement {
  const head = ["Handler", "Result", "Time", "Attempt"].map((title) => element("th", { scope: "col" }, title));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)));
  const body = element("tbody");
  for (const { event, keyword, by, result, error, durationMs, attempt } of handlers) {
    const name = keyword === undefined ? event : `${event} ${keyword} (by ${by ?? ""})`;
    const cells = [isolated(name), result, milliseconds(durationMs), String(attempt)];
    body.append(element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
    if (error !== undefined)
      body.append(element("tr", { class: "thrown" }, element("td", { colspan: "4" }, isolated(error))));
  }
  table.append(body);
  return table;
}
