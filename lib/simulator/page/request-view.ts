// The exact request, as raw bytes or as a curl command.

import type { Preview } from "../wire.js";
import { byId, element } from "./element.js";
import { shownText } from "./shown-text.js";

type Form = "raw" | "curl";

const shown = byId("shown", HTMLElement);
const notes = byId("notes", HTMLElement);
const copy = byId("copy", HTMLButtonElement);
const tabs = { raw: byId("tab-raw", HTMLButtonElement), curl: byId("tab-curl", HTMLButtonElement) };

let form: Form = "raw";
let preview: Preview = { requests: [], notes: [] };

export function showRequest(given: Preview): void {
  preview = given;
  render();
}

/** Shows why there is no request. */
export function showNoRequest(why: string): void {
  showRequest({ requests: [], notes: [why] });
}

function text(): string {
  return preview.requests.map((request) => request[form]).join("\n\n");
}

function render(): void {
  shown.replaceChildren(shownText(text()));
  const hint =
    form === "curl" && /\$[A-Z_]/.test(text())
      ? ["Values of secrets are not shown: set the shell variables first."]
      : [];
  notes.replaceChildren(...[...preview.notes, ...hint].map((note) => element("li", {}, note)));
}

function select(selected: Form): void {
  form = selected;
  for (const [name, tab] of Object.entries(tabs)) {
    tab.setAttribute("aria-selected", String(name === selected));
    tab.tabIndex = name === selected ? 0 : -1;
  }
  shown.setAttribute("aria-labelledby", tabs[selected].id);
  render();
}

export function startRequestView(announce: (what: string) => void): void {
  for (const name of ["raw", "curl"] as const) {
    const other = name === "raw" ? "curl" : "raw";
    tabs[name].addEventListener("click", () => select(name));
    tabs[name].addEventListener("keydown", ({ key }) => {
      if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(key)) return;
      select(other);
      tabs[other].focus();
    });
  }
  copy.addEventListener("click", () => {
    void copyText().then((isCopied) => announce(isCopied ? "Copied." : "Selected: copy it with the keyboard."));
  });
}

/** The clipboard exists on https and localhost only. */
async function copyText(): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text());
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 1_500);
    return true;
  } catch {
    getSelection()?.selectAllChildren(shown);
    return false;
  }
}
