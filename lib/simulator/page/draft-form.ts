// The form: what to send, and how.

import type { Draft, Hello, Misbehaviour } from "../wire.js";
import { byId } from "./element.js";

const text = byId("text", HTMLTextAreaElement);
const form = byId("compose", HTMLFormElement);
const input = (id: string): HTMLInputElement => byId(id, HTMLInputElement);
const [source, recipient, keyword, headerName, headerValue] = [
  "source",
  "recipient",
  "keyword",
  "header-name",
  "header-value",
].map(input) as [HTMLInputElement, HTMLInputElement, HTMLInputElement, HTMLInputElement, HTMLInputElement];
const misbehaviour = byId("misbehaviour", HTMLSelectElement);

let id = newId();

function chosen(name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value : "";
}

export function readDraft(): Draft {
  return {
    id,
    text: text.value,
    source: source.value,
    recipient: recipient.value,
    keyword: keyword.value,
    method: chosen("method") === "GET" ? "GET" : "POST",
    escaped: chosen("escaped") === "yes",
    // The values of page.html.
    misbehaviour: misbehaviour.value as Misbehaviour,
    header: { name: headerName.value.trim(), value: headerValue.value },
  };
}

/** After a text was sent, the next one is another message. */
export function startNext(): void {
  id = newId();
  useText("");
}

export function useText(given: string): void {
  text.value = given;
  fitText();
}

/** Sets the form to what the router expects. */
export function applyHello({ methods, escaped, headers }: Hello): void {
  const [only, other] = methods;
  if (only !== undefined && other === undefined) {
    choose("method", only);
    for (const radio of form.elements)
      if (radio instanceof HTMLInputElement && radio.name === "method") radio.disabled = radio.value !== only;
  }
  choose("escaped", escaped ? "yes" : "no");
  const note = byId("header-note", HTMLElement);
  note.hidden = headers.length === 0;
  note.textContent = `Sent with every callback: ${headers.join(", ")}.`;
}

/** Says beside the choice what one would not expect of it. Without a note, nothing. */
export function showMisbehaviourNote(note: string): void {
  const shown = byId("misbehaviour-note", HTMLElement);
  shown.hidden = note === "";
  shown.textContent = note;
}

function choose(name: string, value: string): void {
  const radio = Array.from(form.elements).find(
    (one): one is HTMLInputElement => one instanceof HTMLInputElement && one.name === name && one.value === value,
  );
  if (radio !== undefined) radio.checked = true;
}

/** Calls back when anything of the form changes. */
export function onChange(changed: () => void): void {
  // Fields outside the form belong to it by their attribute, but their events do not pass through it.
  document.addEventListener("input", ({ target }) => {
    if (target === text) fitText();
    if (target instanceof Element && "form" in target && target.form === form) changed();
  });
}

export function onSend(send: () => void): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

/** As high as its lines, up to what CSS allows. */
function fitText(): void {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}

/** `crypto.randomUUID` exists on https and localhost only. */
function newId(): string {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
