// A run of `capture`: keeps each callback, answers it, and says what all of them show.

import { setImmediate } from "node:timers/promises";

import type { Output } from "../output.js";
import type { SavedCallback } from "../../provider/saved-callback.js";
import { conclude, type Conclusion } from "./conclusion.js";
import type { Asked } from "./asked-text.js";
import type { Keys } from "./encryption.js";
import { evidenceIn, type Evidence } from "./evidence.js";
import { formName } from "./form.js";
import { notSaved, type Folder } from "./folder.js";
import { passOn, UnusableAnswer } from "./forward.js";
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
  /**
   * Called with each conclusion. Last: unless it is only of earlier runs, or of the text of two lines, and not exact.
   */
  readonly concluded: (conclusion: Conclusion, isLast: boolean) => void;
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
  /** How many came before those that are remembered. */
  #forgotten = 0;
  /** Whether the text with the backslash came in this run. */
  #hasAwkward = false;
  /** Whether something came that the conclusion being made does not know. */
  #isDue = false;
  #concluding: Promise<void> | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
    for (const callback of deps.folder?.earlier ?? []) {
      try {
        this.#remember(callback);
      } catch {
        deps.output.note("A callback of the folder cannot be looked at. It decides nothing.");
      }
    }
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
      failed(notSaved(cause));
      return { ...EMPTY, status: 500 };
    }
    const answer = await this.#answer(request);
    try {
      this.#report(callback, { answered: answer.status, file });
    } catch {
      // Anyone can send what nobody thought of: it costs this report, and nothing else.
      output.note("A callback came that cannot be looked at. It decides nothing.");
    }
    return answer;
  }

  /** Says what earlier runs show. */
  async concludeEarlier(): Promise<void> {
    await this.#conclude();
  }

  /** Of many callbacks, the oldest that show nothing go first. */
  #remember(callback: SavedCallback): void {
    const { asked, keys } = this.#deps;
    // Looked at first: what cannot be looked at is not remembered.
    this.#evidence.set(callback, evidenceIn(callback, asked, keys));
    this.#callbacks.push(callback);
    if (this.#callbacks.length <= MOST_REMEMBERED) return;
    const oldest = this.#callbacks.findIndex((one) => this.#evidence.get(one) === undefined);
    for (const one of this.#callbacks.splice(Math.max(oldest, 0), 1)) this.#evidence.delete(one);
    this.#forgotten += 1;
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
      const why = cause instanceof UnusableAnswer ? cause.message : `cannot be reached (${code})`;
      output.note(`The endpoint of --forward ${why}: the callback got a 502.`);
      return { ...EMPTY, status: 502 };
    }
  }

  #report(
    callback: SavedCallback,
    { answered, file }: { readonly answered: number; readonly file: string | undefined },
  ): void {
    const { output, keys, asked, failed } = this.#deps;
    this.#remember(callback);
    const evidence = this.#evidence.get(callback);
    const isAsked = evidence !== undefined;
    const hint = isAsked ? "It is the text that was asked for." : hintOf(callback, keys !== undefined, asked);
    const form = formName(callback);
    const bytes = callback.method === "GET" ? callback.url.length : callback.body.length;
    const kept = file === undefined ? "" : `, kept in ${file}`;
    output.event(
      { type: "callback", form, bytes, answered, isAsked, hint, ...(file !== undefined && { file }) },
      `${(callback.receivedAt ?? "").slice(11, 19)} ${form}, ${bytes} bytes, answered ${answered}${kept}. ${hint}`,
    );
    if (!isAsked) return;
    this.#hasAwkward ||= !evidence.isLines;
    this.#conclude().catch((cause: unknown) => {
      output.note("No conclusion could be made.");
      failed(cause);
    });
  }

  /** Concludes once at a time: of what comes meanwhile, all of it together after that. */
  #conclude(): Promise<void> {
    this.#isDue = true;
    this.#concluding ??= this.#concludeWhileDue().finally(() => (this.#concluding = undefined));
    return this.#concluding;
  }

  async #concludeWhileDue(): Promise<void> {
    while (this.#isDue) {
      // Answers come first.
      await setImmediate();
      this.#isDue = false;
      await this.#concludeOnce();
    }
  }

  async #concludeOnce(): Promise<void> {
    const { output, asked, tunnelTestedAt, concluded } = this.#deps;
    const isLast = this.#hasAwkward;
    const conclusion = await conclude([...this.#callbacks], {
      asked,
      evidenceIn: (one) => this.#evidence.get(one),
      tunnelTestedAt: tunnelTestedAt(),
      forgotten: this.#forgotten,
    });
    if (conclusion === undefined) return;
    output.event({ type: "conclusion", ...conclusion }, conclusionText(conclusion, output));
    concluded(conclusion, isLast || conclusion.isExact);
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
