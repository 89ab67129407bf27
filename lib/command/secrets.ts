// Secrets on the command line: as they are, from an environment variable, or from a file. None is printed.

import { readFileSync } from "node:fs";

import { wrongUse } from "./failure.js";
import { quoted } from "../provider/request.js";

export interface Secret {
  readonly value: string;
  /** Where it comes from, to be shown in its place. */
  readonly shown: string;
  /** How a shell writes it, so that a printed command has no secret that was not typed. */
  readonly shell: string;
  /** The same in a URL. What a shell expands there is not escaped. */
  readonly inUrl: string;
}

/**
 * Resolves `env:NAME` and `@FILE`. The last line end of a file does not count.
 *
 * @throws Failure if the variable is not set, or the file cannot be read
 */
export function secretOf(given: string, option: string): Secret {
  const [, name] = /^env:(.+)$/s.exec(given) ?? [];
  if (name !== undefined) {
    const value = process.env[name];
    if (value === undefined || value === "")
      throw wrongUse(`--${option}: the environment variable ${name} is not set.`, `Set it, or give the value itself.`);
    return expanded(value, `(the value of ${name})`, `"$${name}"`);
  }
  if (!given.startsWith("@"))
    return { value: given, shown: "(as given)", shell: quoted(given), inUrl: quoted(encodeURIComponent(given)) };
  const file = given.slice(1);
  try {
    const value = readFileSync(file, "utf8").replace(/\r?\n$/, "");
    if (value !== "") return expanded(value, `(the content of ${file})`, `"$(cat ${quoted(file)})"`);
  } catch {
    // Said below: not what went wrong, since a name that is mistyped may be a secret.
  }
  throw wrongUse(
    `--${option}: a file was named, and it cannot be read or is empty.`,
    "@ goes before the path of a file.",
  );
}

function expanded(value: string, shown: string, shell: string): Secret {
  return { value, shown, shell, inUrl: shell };
}

/** Splits `NAME=VALUE`. @throws Failure if it has no name */
export function pairOf(given: string, option: string): { readonly name: string; readonly value: string } {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(given) ?? [];
  if (name === undefined || value === undefined)
    throw wrongUse(
      `--${option} takes NAME=VALUE.`,
      `For instance --${option} ${option === "query" ? "token" : "X-Callback-Token"}=env:CALLBACK_TOKEN.`,
    );
  return { name, value };
}
