// Runs one command line: finds its verb, and turns what becomes of it into output and an exit code.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { EXIT, failureOf, wrongUse } from "./failure.js";
import { helpOfCommand, helpOfVerb } from "./help.js";
import { nearest } from "./nearest.js";
import { Output } from "./output.js";
import { parseLine, verbOf } from "./parse.js";
import { printable } from "./printable.js";
import type { Result, Verb } from "./verb.js";

interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** @returns the exit code */
export async function run(
  args: readonly string[],
  verbs: readonly Verb[],
  { stdout, stderr }: Streams,
  signal: AbortSignal,
): Promise<number> {
  const output = new Output({ stdout, stderr, isJson: hasSwitch(args, "--json") });
  try {
    const { verb, words, rest } = verbOf(args, verbs);
    if (verb === undefined) return withoutVerb(words, args, verbs, output);
    const { operands, options } = helpOrLine(verb, rest) ?? {};
    if (operands === undefined || options === undefined) {
      output.event({ help: helpOfVerb(verb) }, helpOfVerb(verb));
      return EXIT.done;
    }
    const result = await verb.run({ operands, options, output, signal });
    if (signal.aborted) return interrupted(output, result);
    if (result?.failure === undefined) {
      if (result !== undefined) output.event(result.data, result.text);
      return EXIT.done;
    }
    output.failure(result.failure, result.data, result.text);
    return result.failure.exit;
  } catch (thrown) {
    if (signal.aborted) return interrupted(output, undefined);
    const failure = failureOf(thrown);
    output.failure(failure);
    return failure.exit;
  }
}

/** What was done before the interruption is still said. */
function interrupted(output: Output, result: Result | undefined): number {
  if (output.isJson) {
    const next = result === undefined ? "Run it again." : "Look at data for what was done before.";
    output.failure({ code: "interrupted", message: "The command was interrupted.", next }, result?.data);
  } else if (result !== undefined) output.event(result.data, result.text);
  return EXIT.interrupted;
}

interface Version {
  readonly version: string;
}

/** Nothing if help is wanted, whatever else is wrong with the line. */
function helpOrLine(verb: Verb, rest: readonly string[]): ReturnType<typeof parseLine> | undefined {
  return hasSwitch(rest, "--help") ? undefined : parseLine(verb, rest);
}

function hasSwitch(args: readonly string[], name: string): boolean {
  const end = args.indexOf("--");
  return (end === -1 ? args : args.slice(0, end)).includes(name);
}

function withoutVerb(
  words: readonly string[],
  args: readonly string[],
  verbs: readonly Verb[],
  output: Output,
): number {
  const [word] = words;
  const help = helpOfCommand(verbs);
  if (hasSwitch(args, "--version")) {
    const { version } = JSON.parse(readFileSync(join(__dirname, "..", "..", "package.json"), "utf8")) as Version;
    output.event({ version }, version);
    return EXIT.done;
  }
  if (hasSwitch(args, "--help") || word === "help") {
    output.event({ help, verbs: verbs.map(({ name }) => name) }, help);
    return EXIT.done;
  }
  const kin = verbs.filter(({ name }) => name.startsWith(`${word ?? ""} `));
  const near = nearest(
    word ?? "",
    verbs.map(({ name }) => name),
  );
  throw wrongUse(
    word === undefined
      ? "A verb is missing."
      : kin.length > 0
        ? `${word} takes a second word.`
        : `There is no verb ${printable(word)}.`,
    kin.length > 0 && word !== undefined
      ? `They are: ${kin.map(({ name }) => name).join(", ")}.`
      : near !== undefined
        ? `Did you mean ${near}?`
        : word === undefined
          ? help
          : "express-kaleyra-sms --help lists them.",
  );
}
