// From the words of a command line to the verb and its values.

import { parseArgs } from "node:util";

import { wrongUse } from "./failure.js";
import { nearest } from "./nearest.js";
import { COMMON_OPTIONS, type Option, type ValuesOf, type Verb } from "./verb.js";

interface ParsedLine {
  readonly operands: readonly string[];
  readonly options: ValuesOf<Record<string, Option>>;
}

/**
 * Splits a command line into its verb and what follows. Options of every verb may stand before it, and options of a
 * verb of two words before the second one, as a script that fixes them has it: `inbox --sqlite inbox.db stats`.
 */
export function verbOf(
  args: readonly string[],
  verbs: readonly Verb[],
): { readonly verb: Verb | undefined; readonly words: readonly string[]; readonly rest: readonly string[] } {
  const first = args.findIndex((arg) => !(arg.startsWith("--") && arg.slice(2) in COMMON_OPTIONS));
  const leading = first === -1 ? args : args.slice(0, first);
  const words = first === -1 ? [] : args.slice(first);
  const [word = "", ...others] = words;
  const single = verbs.find(({ name }) => name === word);
  if (single !== undefined) return { verb: single, words, rest: [...leading, ...others] };
  const kin = verbs.filter(({ name }) => name.startsWith(`${word} `));
  const declared: Options = Object.fromEntries(
    [COMMON_OPTIONS, ...kin.map(({ options }) => options)].flatMap(Object.entries),
  );
  const second = tokensOf(others, declared).find(({ kind }) => kind === "positional")?.index;
  const verb = kin.find(({ name }) => second !== undefined && name === `${word} ${others[second]}`);
  if (verb === undefined || second === undefined) return { verb, words, rest: args };
  return { verb, words, rest: [...leading, ...others.toSpliced(second, 1)] };
}

type Options = Readonly<Record<string, Option>>;

function tokensOf(args: readonly string[], declared: Options) {
  const { tokens } = parseArgs({
    args: args.map((arg) => (KEY.test(arg) ? `${MARK}${arg}` : arg)),
    options: Object.fromEntries(
      Object.entries(declared).map(([name, { value }]) => [name, { type: value === undefined ? "boolean" : "string" }]),
    ),
    strict: false,
    tokens: true,
  });
  return tokens;
}

/** The key of a message, as inboxes list them: one in 64 begins with a hyphen, and is no option. */
const KEY = /^-[\w-]{42}$/;
/** Hides the hyphen. No word of a command line holds this character. */
const MARK = "\0";

/** @throws Failure if an option is unknown or lacks its value, or the operands are too few or too many */
export function parseLine(verb: Verb, args: readonly string[]): ParsedLine {
  const declared: Options = { ...verb.options, ...COMMON_OPTIONS };
  const help = `Run express-kaleyra-sms ${verb.name} --help.`;
  const given = new Map<string, Array<string | true>>();
  const operands: string[] = [];
  for (const token of tokensOf(args, declared)) {
    if (token.kind === "positional") operands.push(token.value.replace(MARK, ""));
    if (token.kind !== "option") continue;
    const { name, rawName } = token;
    const value = token.value?.replace(MARK, "");
    const option = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (option === undefined) {
      const near = nearest(name, Object.keys(declared));
      throw wrongUse(
        `${verb.name} has no option ${rawName}.`,
        near === undefined ? `${help} A word that begins with a hyphen goes behind --.` : `Did you mean --${near}?`,
      );
    }
    if (option.value !== undefined && (value === undefined || value === ""))
      throw wrongUse(`--${name} takes a value: --${name} ${option.value}.`, help);
    if (option.value === undefined && value !== undefined) throw wrongUse(`--${name} takes no value.`, help);
    const values = given.get(name) ?? [];
    if (values.length > 0 && option.multiple !== true && option.value !== undefined)
      throw wrongUse(`--${name} is given more than once.`, `Give it once. ${help}`);
    given.set(name, [...values, value ?? true]);
  }
  checkOperands(verb, operands, help);
  const options = Object.fromEntries(
    Object.entries(declared).map(([name, { value, multiple }]) => {
      const values = given.get(name) ?? [];
      if (value === undefined) return [name, values.length > 0];
      return [name, multiple === true ? values : values[0]];
    }),
  ) as ParsedLine["options"]; // What the loop above made of the same declaration.
  return { operands, options };
}

function checkOperands({ name, operands = [] }: Verb, given: readonly string[], help: string): void {
  const usage = [name, ...operands].join(" ");
  const missing = operands.find((operand, index) => !operand.startsWith("[") && given[index] === undefined);
  if (missing !== undefined) throw wrongUse(`${missing} is missing: express-kaleyra-sms ${usage}`, help);
  if (given.length > operands.length)
    throw wrongUse(
      `There are more words than it takes: express-kaleyra-sms ${usage}`,
      operands.includes("[TEXT]") ? `A text of several words goes in quotes. ${help}` : help,
    );
}
