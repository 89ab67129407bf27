// The lines that were asked, one after the other, and which of them stopped the server.

import type { Endpoint } from "./endpoint.js";
import type { Finding, Group, Line } from "./line.js";

/** A line with what became of it. */
export interface AskedLine extends Finding {
  readonly group: string;
  readonly name: string;
}

/** After that, no further line begins: an endpoint as slow as that is to be made faster first. In milliseconds. */
const WHOLE_MS = 45_000;

const GONE: Finding = { result: "not proven", next: "The server had stopped." };

const LATE: Finding = { result: "not proven", next: "The answers before took too long: nothing more was sent." };

const STOPPED = {
  result: "fails",
  seen: "the server stopped",
  next: "Look at the log of your app: an error that nothing catches ends its process.",
} as const;

export class Asked {
  readonly lines: AskedLine[] = [];
  readonly #endpoint: Endpoint;
  readonly #onLine: (name: string) => void;
  readonly #started = performance.now();

  /** @param onLine - gets the name of a line when it begins */
  constructor(endpoint: Endpoint, onLine: (name: string) => void) {
    this.#endpoint = endpoint;
    this.#onLine = onLine;
  }

  async ask(group: string, { name, ask }: Line): Promise<Finding> {
    this.#onLine(name);
    const endpoint = this.#endpoint;
    const wasGone = endpoint.isGone;
    const { reached } = endpoint;
    const isLate = performance.now() - this.#started > WHOLE_MS;
    const finding = wasGone ? GONE : isLate ? LATE : await ask(endpoint);
    // A process may die after its answer: it shows when the next line finds nobody there.
    const isOfThePast = endpoint.isGone && endpoint.reached === reached;
    this.lines.push({ group, name, ...(isOfThePast ? GONE : finding) });
    if (endpoint.isGone && !wasGone) this.#blame(isOfThePast ? -2 : -1);
    return finding;
  }

  async askAll({ title, lines }: Group): Promise<void> {
    for (const line of lines) await this.ask(title, line);
  }

  /** Finds out whether the last line stopped the server. */
  async lookOnceMore(): Promise<void> {
    if (!this.#endpoint.isGone && (await this.#endpoint.whyUnreachable()) !== undefined) this.#blame(-1);
  }

  /** Changes what the last line found. */
  correctLast(finding: Finding): void {
    this.#correct(-1, finding);
  }

  #blame(index: number): void {
    const at = this.lines.length + index < 0 ? 0 : index;
    const line = this.lines.at(at);
    const next = line?.result === "fails" && line.next !== undefined ? `${line.next} ${STOPPED.next}` : STOPPED.next;
    this.#correct(at, { ...STOPPED, next });
  }

  #correct(index: number, finding: Finding): void {
    const line = this.lines.at(index);
    if (line !== undefined) this.lines.splice(index, 1, { group: line.group, name: line.name, ...finding });
  }
}
