// Shows a text so that every character can be seen, with some places marked.

import type { Place } from "../wire.js";
import { element } from "./element.js";

/**
 * Characters that cannot be seen, or that change how others are shown. Not among them are the joiners, of which emoji
 * and scripts are made.
 */
const UNSEEN = /[^\P{Cc}\n\t]|[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;

/** @param places - in any order; an empty one marks the end of what was sent */
export function shownText(text: string, places: readonly Place[] = []): DocumentFragment {
  const fragment = document.createDocumentFragment();
  let at = 0;
  for (const { start, end } of places.toSorted((one, other) => one.start - other.start)) {
    if (start < at) continue;
    fragment.append(...visible(text.slice(at, start)));
    const marked = start === end ? ["the end"] : visible(text.slice(start, end));
    fragment.append(element("mark", {}, ...marked));
    at = end;
  }
  fragment.append(...visible(text.slice(at)));
  return fragment;
}

/** The body of an answer. JSON has few spaces: its lines break between members rather than within a number. */
export function shownBody(body: string): DocumentFragment {
  if (!/^\s*[{[]/.test(body)) return shownText(body);
  const fragment = document.createDocumentFragment();
  for (const part of body.split(/(?<=[,{[]|":)/)) fragment.append(shownText(part), element("wbr"));
  return fragment;
}

function visible(text: string): Array<Node | string> {
  // Lines of HTTP end with CR and LF.
  const lines = text.replaceAll("\r\n", "\n");
  return lines.split(new RegExp(`(${UNSEEN.source})`, "u")).map((part) => (UNSEEN.test(part) ? sign(part) : part));
}

function sign(character: string): HTMLElement {
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return element("span", { class: "sign" }, `U+${code}`);
}
