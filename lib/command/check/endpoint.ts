// The endpoint that is checked: asks it with or without its secrets, and keeps all that it answered.

import { exchange, whyUnreachable, type Outcome, type Question } from "./exchange.js";
import type { Shown } from "./shown.js";

/** A request to the endpoint. */
export type Request = Omit<Question, "url" | "headers"> & {
  readonly headers?: Readonly<Record<string, string>>;
  /** Without the `?`. */
  readonly query?: string;
};

/** How long the endpoint may take to answer. In milliseconds. */
const ANSWER_MS = 5_000;

interface EndpointOptions {
  /** Without a query. */
  readonly url: string;
  /** What a legitimate caller shows. */
  readonly shown: Shown;
  readonly signal: AbortSignal;
}

export class Endpoint {
  readonly shown: Shown;
  /** All answers so far. */
  readonly answers: Array<Exclude<Outcome, string> & { readonly method: string }> = [];
  /** How many requests reached a server. */
  reached = 0;
  /** Whether nothing listens there any more. */
  isGone = false;
  readonly #url: string;
  readonly #signal: AbortSignal;

  constructor({ url, shown, signal }: EndpointOptions) {
    this.shown = shown;
    this.#url = url;
    this.#signal = signal;
  }

  async ask(request: Request, shown = this.shown, limitMs = ANSWER_MS): Promise<Outcome> {
    const { query = "", headers = {}, ...rest } = request;
    const pairs = shown
      .filter((one) => one.in === "query")
      .map(({ name, value }) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
    const whole = [query, ...pairs].filter((part) => part !== "").join("&");
    const url = whole === "" ? this.#url : `${this.#url}?${whole}`;
    const question = { ...rest, url, headers: withShown(headers, shown) };
    const outcome = await exchange(question, limitMs, this.#signal);
    if (outcome === "refused") this.isGone = true;
    else this.reached += 1;
    if (outcome === "closed" && request.isCut !== true) await this.#seeWhetherItDies();
    if (typeof outcome !== "string") this.answers.push({ ...outcome, method: request.method });
    return outcome;
  }

  /** A process that dies closes its connections one by one, and may still take a new one. */
  async #seeWhetherItDies(): Promise<void> {
    for (let times = 0; times < 10; times++) {
      const outcome = await exchange({ method: "HEAD", url: this.#url, headers: {} }, ANSWER_MS, this.#signal);
      this.isGone ||= outcome === "refused";
      if (outcome !== "closed") return;
    }
  }

  /** Tries to connect. @returns why it cannot be reached, as a code of Node's; `undefined` if it can */
  async whyUnreachable(): Promise<string | undefined> {
    const code = await whyUnreachable(this.#url, ANSWER_MS);
    this.isGone ||= code !== undefined;
    return code;
  }
}

/** What is shown takes the place of headers of the same names. */
function withShown(headers: Readonly<Record<string, string>>, shown: Shown): Question["headers"] {
  const secrets = new Map<string, string[]>();
  for (const { in: where, name, value } of shown)
    if (where === "header") secrets.set(name, [...(secrets.get(name) ?? []), value]);
  const names = new Set([...secrets.keys()].map((name) => name.toLowerCase()));
  const others = Object.entries(headers).filter(([name]) => !names.has(name.toLowerCase()));
  return { ...Object.fromEntries(others), ...Object.fromEntries(secrets) };
}
