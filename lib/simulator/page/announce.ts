// Tells a screen reader what happened, without flooding it.

import { byId } from "./element.js";

const PAUSE_MS = 1_500;

const status = byId("status", HTMLElement);
let waiting: string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

/** Of what comes within a moment, only the last few are said. */
export function announce(what: string): void {
  waiting = [...waiting.slice(-2), what];
  timer ??= setTimeout(() => {
    timer = undefined;
    status.textContent = waiting.join(" ");
    waiting = [];
  }, PAUSE_MS);
}
