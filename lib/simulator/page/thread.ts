// The conversation on the phone: the texts that were sent, and the answers.

import type { Answered } from "../wire.js";
import { byId, element, milliseconds } from "./element.js";
import { shownBody } from "./shown-text.js";

const MAX_BUBBLES = 100;
/** From here on, a text scrolls in its bubble. */
const LONG = 600;

const screen = byId("screen", HTMLElement);
const thread = byId("thread", HTMLOListElement);

export interface Bubble {
  /** Shows the answers to the requests of this text, and why they do not show what the user wanted to see. */
  answer(answers: readonly Answered[], ineffective?: string): void;
  /** Shows why it was not sent. */
  fail(why: string): void;
}

/** @param reuse - called when the user wants to edit the text and send it again */
export function addBubble(text: string, reuse: () => void): Bubble {
  const isLong = text.length > LONG;
  const typed = element("p", { class: "typed", dir: "auto", ...(isLong ? { tabindex: "0" } : {}) }, text);
  const state = element("span", {}, "sending…");
  const again = element("button", { type: "button", class: "again", "aria-label": "Edit this text again" }, "Edit");
  again.addEventListener("click", reuse);
  const bubble = element("li", {}, typed, element("p", { class: "state" }, state, " ", again));
  thread.append(bubble);
  while (thread.childElementCount > MAX_BUBBLES) thread.firstElementChild?.remove();
  scrollDown();

  const set = (shown: ReadonlyArray<Node | string>, isGood: boolean): void => {
    state.replaceChildren(...shown);
    bubble.dataset.result = isGood ? "good" : "bad";
    scrollDown();
  };
  return {
    answer: (answers, ineffective) => {
      const shown = answers.map(describeAnswer).join(", ");
      set([shown], answers.every(isGood));
      if (ineffective !== undefined) bubble.append(element("p", { class: "state ineffective" }, ineffective));
      scrollDown();
      for (const answer of answers) if (isGood(answer) && answer.body !== "") addReply(answer.body);
    },
    fail: (why) => set([why], false),
  };
}

/** The body of an answer, which some consoles text back to the subscriber. */
function addReply(body: string): void {
  const typed = element("p", { class: "typed", dir: "auto" }, shownBody(body));
  const state = element("p", { class: "state" }, "the answer's body: some consoles text it back");
  thread.append(element("li", { class: "reply" }, typed, state));
  scrollDown();
}

function isGood(answer: Answered): answer is Extract<Answered, { status: number }> {
  return "status" in answer && answer.status >= 200 && answer.status < 300;
}

export function describeAnswer(answer: Answered): string {
  if (!("status" in answer)) return answer.failed;
  const { status, reason, durationMs } = answer;
  return `${`${status} ${reason}`.trim()} · ${milliseconds(durationMs)}`;
}

function scrollDown(): void {
  screen.scrollTop = screen.scrollHeight;
}
