// Where a verb writes: its result to stdout, and everything else to stderr. Colours only on a terminal.

import { styleText } from "node:util";

import { printable } from "./printable.js";

/** As `styleText` knows them. */
type Style = Parameters<typeof styleText>[0];

export interface OutputOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Whether stdout gets JSON only. */
  readonly isJson: boolean;
}

export class Output {
  readonly isJson: boolean;
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;
  /** Taken before a module of the user's is loaded: what that one prints goes to stderr. */
  readonly #print: (text: string) => unknown;

  constructor({ stdout, stderr, isJson }: OutputOptions) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#print = stdout.write.bind(stdout);
    this.isJson = isJson;
  }

  /** The result, or one event of a stream: a line of JSON, or its text. */
  event(data: object, text: string): void {
    this.#write(this.isJson ? oneLine({ ok: true, data }) : text);
  }

  /** Under `--json` the object of a failure, with what was found before it, if anything was. */
  failure({ code, message, next }: Record<"code" | "message" | "next", string>, data?: object, text?: string): void {
    if (this.isJson) {
      this.#write(oneLine({ ok: false, error: { code, message, next }, ...(data && { data }) }));
      return;
    }
    if (text !== undefined) this.#write(text);
    this.note(`${this.paint("red", message, "stderr")}\n${next}`);
  }

  /** What is no result: progress, hints, addresses. */
  note(text: string): void {
    this.#stderr.write(`${text}\n`);
  }

  /** A line that is overwritten by the next one, on a terminal only; `undefined` clears it. */
  progress(text: string | undefined): void {
    if (!this.#stderr.isTTY) return;
    this.#stderr.cursorTo(0);
    this.#stderr.clearLine(0);
    if (text !== undefined) this.#stderr.write(text);
  }

  /** Whether stdout is read by a person: what was sent must not steer the terminal. */
  get isTerminal(): boolean {
    return this.#stdout.isTTY;
  }

  /** How many columns a line on the terminal has. */
  get columns(): number {
    return this.#stderr.isTTY ? this.#stderr.columns : 80;
  }

  /** Colours a text if it goes to a terminal and `NO_COLOR` is not set. */
  paint(style: Style, text: string, to: "stdout" | "stderr" = "stdout"): string {
    const stream = to === "stdout" ? this.#stdout : this.#stderr;
    const isColoured = stream.isTTY && !process.env.NO_COLOR && !(this.isJson && to === "stdout");
    return isColoured ? styleText(style, text, { validateStream: false }) : text;
  }

  #write(text: string): void {
    this.#print(`${text}\n`);
  }
}

/** JSON of the same value, in which nothing can steer a terminal. */
function oneLine(value: object): string {
  return printable(JSON.stringify(value));
}
