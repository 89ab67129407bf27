// From the words of a command line to the verb and its values.

import { parseArgs } from "node:util";

import { wrongUse } from "./failure.js";
import { nearest } from "./nearest.js";
import { COMMON_OPTIONS, type Option, type ValuesOf, type Verb } from "./verb.js";

interface ParsedLine {
  readonly operands: readonly string[];
  readonly options: ValuesOf<Record<string, Option>>;
}

/** Splits a command line into its verb and what follows; options of every verb may stand before it. */
export function verbOf(
  args: readonly string[],
  verbs: readonly Verb[],
): { readonly verb: Verb | undefined; readonly words: readonly string[]; readonly rest: readonly string[] } {
  const first = args.findIndex((arg) => !(arg.startsWith("--") && arg.slice(2) in COMMON_OPTIONS));
  const leading = first === -1 ? args : args.slice(0, first);
  const words = first === -1 ? [] : args.slice(first);
  for (const count of [2, 1]) {
    const name = words.slice(0, count).join(" ");
    const verb = verbs.find((one) => one.name === name);
    if (verb !== undefined) return { verb, words, rest: [...leading, ...words.slice(count)] };
  }
  return { verb: undefined, words, rest: args };
}

/** @throws Failure if an option is unknown or lacks its value, or the operands are too few or too many */
export function parseLine(verb: Verb, args: readonly string[]): ParsedLine {
  const declared: Readonly<Record<string, Option>> = { ...verb.options, ...COMMON_OPTIONS };
  const help = `Run express-kaleyra-sms ${verb.name} --help.`;
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(declared).map(([name, { value }]) => [name, { type: value === undefined ? "boolean" : "string" }]),
    ),
    strict: false,
    tokens: true,
  });
  const given = new Map<string, Array<string | true>>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
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
      `${given.length - operands.length} words too many: express-kaleyra-sms ${usage}`,
      `A text of several words goes in quotes. ${help}`,
    );
}
