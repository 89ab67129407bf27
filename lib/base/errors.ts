// Makes the errors of the package: each has a code, and names the page that explains it.

import { textOf, type CaseDetails, type Code, type ErrorCode, type TypeErrorCode } from "./error-messages.js";

interface Details extends CaseDetails {
  readonly cause?: unknown;
}

type Factory = (...given: never[]) => Error;

export function codedError(code: ErrorCode, details: Details = {}): Error {
  return finished(new Error(...argumentsOf(code, details)), code, codedError);
}

export function codedTypeError(
  code: TypeErrorCode,
  details: Details = {},
  factory: Factory = codedTypeError,
): TypeError {
  return finished(new TypeError(...argumentsOf(code, details)), code, factory);
}

/** @param message - names the option and its valid values */
export function invalidOption(message: string, details?: Pick<Details, "cause">): TypeError {
  return codedTypeError("KALEYRA_SMS_INVALID_OPTION", { ...details, message }, invalidOption);
}

/** @param message - names the function or its argument, and the valid values */
export function invalidArgument(message: string, details?: Pick<Details, "cause">): TypeError {
  return codedTypeError("KALEYRA_SMS_INVALID_ARGUMENT", { ...details, message }, invalidArgument);
}

function argumentsOf(code: ErrorCode | TypeErrorCode, { cause, ...details }: Details): [string, ErrorOptions?] {
  const text = textOf(code, details);
  return cause === undefined ? [text] : [text, { cause }];
}

/** Starts the stack at the caller of `factory`: a log line names that place. */
function finished<Made extends Error>(error: Made, code: Code, factory: Factory): Made {
  Error.captureStackTrace(error, factory);
  codes.set(error, code);
  return Object.assign(error, { code });
}

/** The parts of an error that was made in another thread. */
export interface ErrorParts {
  /** The code, if it was made here. */
  readonly own: Code | undefined;
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** The codes of a library's error. */
  readonly code: string | undefined;
  readonly errcode: number | undefined;
  readonly cause: Error | undefined;
}

/** Makes an error again that was made in another thread. */
export function errorFrom({ own, name, message, stack, code, errcode, cause }: ErrorParts): Error {
  const options = cause === undefined ? undefined : { cause };
  const error = name === "TypeError" ? new TypeError(message, options) : new Error(message, options);
  if (stack !== undefined) error.stack = stack;
  if (own !== undefined) codes.set(error, own);
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  if (code !== undefined) Object.assign(error, { code });
  if (errcode !== undefined) Object.assign(error, { errcode });
  return error;
}

const codes = new WeakMap<object, Code>();

/** The code of an error that was made here; `undefined` for anything else, whatever its `code`. */
export function codeOf(error: unknown): Code | undefined {
  return typeof error === "object" && error !== null ? codes.get(error) : undefined;
}
