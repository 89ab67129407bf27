// A run of `capture`: keeps each callback, answers it, and says what all of them show.

import { fault } from "../failure.js";
import type { Output } from "../output.js";
import type { SavedCallback } from "../../provider/saved-callback.js";
import { conclude, type Conclusion } from "./conclusion.js";
import type { Asked } from "./asked-text.js";
import type { Keys } from "./encryption.js";
import { evidenceIn, type Evidence } from "./evidence.js";
import { formName } from "./form.js";
import type { Folder } from "./folder.js";
import { passOn } from "./forward.js";
import { hintOf } from "./hint.js";
import type { CapturedRequest, Reply } from "./listen.js";
import { conclusionText } from "./report.js";
import type { TunnelTest } from "./tunnel.js";

interface Deps {
  readonly asked: Asked;
  /** Given if values may be encrypted. */
  readonly keys: Keys | undefined;
  readonly tunnelTestedAt: () => string | undefined;
  readonly folder: Folder | undefined;
  readonly forward: string | undefined;
  readonly tunnel: TunnelTest;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Called with each conclusion from a callback that came. */
  readonly concluded: (conclusion: Conclusion) => void;
  /** Called if a callback cannot be kept, or a conclusion cannot be made. */
  readonly failed: (cause: unknown) => void;
}

/** How many callbacks a run looks at. */
const MOST_REMEMBERED = 1_000;

const EMPTY: Reply = { status: 200, rawHeaders: [], body: Buffer.alloc(0) };

export class Session {
  readonly #deps: Deps;
  /** Those of earlier runs, too. */
  readonly #callbacks: SavedCallback[] = [];
  readonly #evidence = new Map<SavedCallback, Evidence | undefined>();
  /** Callbacks are reported one after the other. */
  #reported: Promise<unknown> = Promise.resolve();

  constructor(deps: Deps) {
    this.#deps = deps;
    for (const callback of deps.folder?.earlier ?? []) this.#remember(callback);
  }

  /** Whether a callback came, in an earlier run or in this one. */
  get hasCome(): boolean {
    return this.#callbacks.length > 0;
  }

  /** Answers a request. It is kept before it is passed on, so that nothing is lost. Does not reject. */
  async reply(request: CapturedRequest): Promise<Reply> {
    const { tunnel, folder, output, failed } = this.#deps;
    if (tunnel.claims(request)) return EMPTY;
    const callback = savedOf(request);
    if (callback === undefined) return this.#replyToOther(request);
    let file: string | undefined;
    try {
      file = folder?.save(callback);
    } catch (cause) {
      const { code = "no reason given" } = cause as NodeJS.ErrnoException;
      failed(
        fault({
          code: "not-saved",
          message: `A callback came and could not be written (${code}). It was answered 500.`,
          next: "Make room, start again, and trigger the callback again in the console.",
        }),
      );
      return { ...EMPTY, status: 500 };
    }
    const answer = await this.#answer(request);
    this.#reported = this.#reported
      .then(() => this.#report(callback, { answered: answer.status, file }))
      .catch((cause: unknown) => {
        output.note("The callback could not be reported.");
        failed(cause);
      });
    return answer;
  }

  /** Says what earlier runs show. */
  async concludeEarlier(): Promise<void> {
    this.#reported = this.#reported.then(() => this.#conclude());
    await this.#reported;
  }

  /** Of many callbacks, the oldest that show nothing go first. */
  #remember(callback: SavedCallback): void {
    const { asked, keys } = this.#deps;
    this.#callbacks.push(callback);
    this.#evidence.set(callback, evidenceIn(callback, asked, keys));
    if (this.#callbacks.length <= MOST_REMEMBERED) return;
    const oldest = this.#callbacks.findIndex((one) => this.#evidence.get(one) === undefined);
    for (const one of this.#callbacks.splice(Math.max(oldest, 0), 1)) this.#evidence.delete(one);
  }

  /** Monitors send HEAD; anything else is no callback. */
  async #replyToOther(request: CapturedRequest): Promise<Reply> {
    const isHead = request.method === "HEAD";
    this.#deps.output.note(
      `${isHead ? "A HEAD" : "A request by another method"} came: it is no callback, and not kept.`,
    );
    return this.#deps.forward === undefined ? { ...EMPTY, status: isHead ? 200 : 405 } : this.#answer(request);
  }

  async #answer(request: CapturedRequest): Promise<Reply> {
    const { forward, output } = this.#deps;
    if (forward === undefined) return EMPTY;
    try {
      return await passOn(request, forward);
    } catch (cause) {
      const { code = "no answer" } = cause as NodeJS.ErrnoException;
      output.note(`The endpoint of --forward cannot be reached (${code}): the callback was answered 502.`);
      return { ...EMPTY, status: 502 };
    }
  }

  async #report(
    callback: SavedCallback,
    { answered, file }: { readonly answered: number; readonly file: string | undefined },
  ): Promise<void> {
    const { output, keys } = this.#deps;
    this.#remember(callback);
    const isAsked = this.#evidence.get(callback) !== undefined;
    const hint = isAsked ? "It is the text that was asked for." : hintOf(callback, keys !== undefined);
    const form = formName(callback);
    const bytes = callback.method === "GET" ? callback.url.length : callback.body.length;
    const kept = file === undefined ? "" : `, kept in ${file}`;
    output.event(
      { type: "callback", form, bytes, answered, isAsked, hint, ...(file !== undefined && { file }) },
      `${(callback.receivedAt ?? "").slice(11, 19)} ${form}, ${bytes} bytes, answered ${answered}${kept}. ${hint}`,
    );
    if (isAsked) await this.#conclude();
  }

  async #conclude(): Promise<void> {
    const { output, asked, tunnelTestedAt, concluded } = this.#deps;
    const conclusion = await conclude([...this.#callbacks], {
      asked,
      evidenceIn: (one) => this.#evidence.get(one),
      tunnelTestedAt: tunnelTestedAt(),
    });
    if (conclusion === undefined) return;
    output.event({ type: "conclusion", ...conclusion }, conclusionText(conclusion, output));
    concluded(conclusion);
  }
}

function savedOf({ method, url, rawHeaders, body, receivedAt }: CapturedRequest): SavedCallback | undefined {
  if (method !== "GET" && method !== "POST") return undefined;
  const headers: Record<string, string> = {};
  rawHeaders.forEach((name, index) => {
    if (index % 2 === 1) return;
    const value = rawHeaders[index + 1] ?? "";
    // One name in one spelling, as HTTP joins what comes twice.
    const known = Object.keys(headers).find((one) => one.toLowerCase() === name.toLowerCase());
    headers[known ?? name] = known === undefined ? value : `${headers[known] ?? ""}, ${value}`;
  });
  return { method, url, headers, body, receivedAt };
}
