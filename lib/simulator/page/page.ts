// The page: joins the form, the phone, the exact request and the list of events.

import type { Draft, Hello, InboxEvent } from "../wire.js";
import { announce } from "./announce.js";
import { fetchPreview, sendDraft } from "./api.js";
import { applyHello, onChange, onSend, readDraft, showMisbehaviourNote, startNext, useText } from "./draft-form.js";
import { byId, element, isolated } from "./element.js";
import { startEventList } from "./event-list.js";
import { showNoRequest, showRequest, startRequestView } from "./request-view.js";
import { openStream } from "./stream.js";
import { addBubble, describeAnswer } from "./thread.js";

const PREVIEW_AFTER_MS = 60;
/** Up to this width, only the phone and the events are open at first. */
const NARROW = matchMedia("(max-width: 1180px)");

let previewing = new AbortController();
let previewTimer: ReturnType<typeof setTimeout> | undefined;

function schedulePreview(): void {
  clearTimeout(previewTimer);
  previewTimer = setTimeout(() => void preview(), PREVIEW_AFTER_MS);
}

async function preview(): Promise<void> {
  previewing.abort();
  previewing = new AbortController();
  const { signal } = previewing;
  try {
    const draft = readDraft();
    const preview = await fetchPreview(draft, signal);
    showRequest(preview);
    showMisbehaviourNote(preview.ineffective ?? noteOn(draft));
  } catch (error) {
    if (!signal.aborted) showNoRequest(messageOf(error));
  }
}

/** The texts that a misbehaviour sends in place of the typed one. */
function textsOf({ misbehaviour, text }: Draft): string[] {
  return misbehaviour === "overtaking" ? ["START", "STOP"] : [text];
}

function noteOn({ misbehaviour }: Draft): string {
  return misbehaviour === "overtaking" ? "Sends START and STOP, and not the text that you type." : "";
}

async function send(): Promise<void> {
  const draft = readDraft();
  const { text } = draft;
  // What is shown is what was sent, until the form changes.
  clearTimeout(previewTimer);
  previewing.abort();
  const bubbles = textsOf(draft).map((sent) => addBubble(sent, () => reuse(text)));
  startNext();
  try {
    const sent = await sendDraft(draft);
    const { answers } = sent;
    showRequest(sent);
    bubbles.forEach((bubble, n) =>
      bubble.answer(bubbles.length === 1 ? answers : answers.slice(n, n + 1), sent.ineffective),
    );
    const answered = answers.map((answer) => `${"status" in answer ? "Answered " : ""}${describeAnswer(answer)}`);
    announce([...answered, sent.ineffective ?? ""].join(" "));
  } catch (error) {
    for (const bubble of bubbles) bubble.fail(messageOf(error));
    announce(messageOf(error));
  }
}

function reuse(text: string): void {
  useText(text);
  byId("text", HTMLTextAreaElement).focus();
  schedulePreview();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function greet(hello: Hello): void {
  byId("target", HTMLElement).replaceChildren(isolated(hello.target));
  if (!hello.hasRouter)
    byId("no-events", HTMLElement).textContent = "Nothing yet. The router runs elsewhere: its answers show up here.";
}

function showContact(): void {
  const { recipient } = readDraft();
  const contact = byId("contact", HTMLElement);
  contact.replaceChildren(recipient.trim() === "" ? "no number" : isolated(recipient));
}

function showInbox({ counts }: InboxEvent): void {
  const inbox = byId("inbox", HTMLElement);
  const items =
    counts === undefined
      ? ["out of reach"]
      : Object.entries(counts).map(([state, n]) => `${n.toLocaleString("en")} ${state}`);
  inbox.hidden = false;
  inbox.replaceChildren(...items.map((item) => element("li", {}, item)));
}

const STATES = { live: "live", connecting: "connecting", closed: "refused: reload the page" } as const;

function showConnection(state: keyof typeof STATES): void {
  const connection = byId("connection", HTMLElement);
  connection.dataset.state = state;
  connection.textContent = STATES[state];
}

if (NARROW.matches) for (const id of ["settings", "request"]) byId(id, HTMLDetailsElement).open = false;
// On a phone, the keyboard would cover half of the page.
else byId("text", HTMLTextAreaElement).select();
startRequestView(announce);
const addEvent = startEventList(announce);
let isGreeted = false;
openStream((event) => {
  if (event.name === "hello") {
    // After the connection was lost, what the user has chosen stays.
    if (!isGreeted) applyHello(event.data);
    isGreeted = true;
    greet(event.data);
    schedulePreview();
  } else if (event.name === "inbox") showInbox(event.data);
  else addEvent(event);
}, showConnection);
onChange(() => {
  showContact();
  schedulePreview();
});
onSend(() => void send());
showContact();
