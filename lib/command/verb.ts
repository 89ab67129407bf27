// What a verb of the command is: parsing, `--help` and docs/command.md come from its declaration.

import type { MaybePromise } from "../base/maybe-promise.js";
import type { Failure } from "./failure.js";
import type { Output } from "./output.js";

/** An option: `--name`, or `--name VALUE`. */
export interface Option {
  /** What it does, in one sentence. */
  readonly help: string;
  /** What its value is, in capitals: `URL`. Without it, the option is a switch. */
  readonly value?: string;
  /** Whether it may be given several times. */
  readonly multiple?: true;
  /** Whether its value may be `env:NAME` or `@FILE`. Verbs resolve it by `secrets.ts`. */
  readonly secret?: true;
}

type Options = Readonly<Record<string, Option>>;

/** The value of an option; `undefined`, `false` or an empty list if it was not given. */
type ValueOf<One extends Option> = One extends { readonly value: string }
  ? One extends { readonly multiple: true }
    ? readonly string[]
    : string | undefined
  : boolean;

export type ValuesOf<All extends Options> = { readonly [Name in keyof All]: ValueOf<All[Name]> };

/** What a verb is called with. */
interface Call<All extends Options> {
  /** The words of the command line that are no options, as many as the verb declares. Optional ones may be missing. */
  readonly operands: readonly string[];
  readonly options: ValuesOf<All>;
  readonly output: Output;
  /** Aborts when the user interrupts the command: the verb then ends what it began. */
  readonly signal: AbortSignal;
}

/** What a verb found. */
export interface Result {
  /** For `--json`. */
  readonly data: object;
  /** For people. */
  readonly text: string;
  /** If what was found is a fault. */
  readonly failure?: Failure | undefined;
}

interface Declaration<All extends Options> {
  /** One word, or two: `profile verify`. */
  readonly name: string;
  /** What it does: the first sentence stands in the list of verbs. */
  readonly summary: string;
  /** What follows the verb, in capitals; in brackets if it is optional: `["FILE", "[FOLDER]"]`. */
  readonly operands?: readonly string[];
  readonly options: All;
  /** What follows `express-kaleyra-sms`, and what it is for. */
  readonly examples: readonly [Example, Example, ...Example[]];
  /** Further paragraphs for `--help` and the documentation. */
  readonly notes?: readonly string[];
  /** @returns nothing if it has written its events itself */
  readonly run: (call: Call<All>) => MaybePromise<Result | undefined>;
}

interface Example {
  readonly line: string;
  readonly does: string;
}

export type Verb = Omit<Declaration<Options>, "run"> & {
  readonly run: (call: Call<Options>) => MaybePromise<Result | undefined>;
};

/** Declares a verb: the types of its values follow from its options. */
export function verb<const All extends Options>(declaration: Declaration<All>): Verb {
  // The values of a call are parsed by these same options.
  return { ...declaration, run: (call) => declaration.run(call as Call<All>) };
}

/** The options of every verb. */
export const COMMON_OPTIONS = {
  json: { help: "Prints one JSON object, or a line of JSON for each event." },
  help: { help: "Prints this help." },
} as const satisfies Options;
