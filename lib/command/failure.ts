// What a verb throws when it cannot do, or did not find, what it was asked for: a code, a sentence, and what to do.

import { codeOf } from "../base/errors.js";
import { nameOf } from "../base/thrown.js";

/** The exit codes of the command. */
export const EXIT = { done: 0, fault: 1, wrongUse: 2, unreachable: 3, interrupted: 130 } as const;

export interface FailureDetails {
  /** `error.code` under `--json`. Stable: in kebab-case, or a code of docs/codes.md. */
  readonly code: string;
  readonly exit: (typeof EXIT)["fault" | "wrongUse" | "unreachable"];
  /** What happened. Never a secret, and nothing that was sent. */
  readonly message: string;
  /** What to do. */
  readonly next: string;
}

export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: string;
  readonly exit: FailureDetails["exit"];
  readonly next: string;

  constructor({ code, exit, message, next }: FailureDetails) {
    super(message);
    this.code = code;
    this.exit = exit;
    this.next = next;
  }
}

type Given = Omit<FailureDetails, "exit">;

/** It ran, and found a fault: exit code 1. */
export function fault(details: Given): Failure {
  return new Failure({ ...details, exit: EXIT.fault });
}

/** The command line asks for what does not exist or is not allowed: exit code 2. */
export function wrongUse(message: string, next: string, code = "wrong-use"): Failure {
  return new Failure({ code, exit: EXIT.wrongUse, message, next });
}

/** A server, a file or a database that it needs is out of reach: exit code 3. */
export function unreachable(message: string, next: string, code = "unreachable"): Failure {
  return new Failure({ code, exit: EXIT.unreachable, message, next });
}

/** Whatever was thrown, as a failure: a mistake in an option is the caller's, anything else is named by its place. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const code = codeOf(thrown);
  if (code !== undefined && thrown instanceof Error)
    return new Failure({
      code,
      exit: thrown instanceof TypeError ? EXIT.wrongUse : EXIT.unreachable,
      message: thrown.message.replace(/ See \S+$/, ""),
      next: `See docs/codes.md#${code.toLowerCase()} of the package.`,
    });
  return new Failure({
    code: "unexpected",
    exit: EXIT.fault,
    message: `The command failed: ${nameOf(thrown)}.`,
    next: "This is a fault of the command, or of a module that it loaded: please report it.",
  });
}
