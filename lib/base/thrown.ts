// Describes a thrown value by its class and source location, never by its text.

import { types } from "node:util";

const NAME = /^[A-Za-z_$][\w$]{0,80}$/;
/** The class name at the start of a stack, perhaps with one of Node's error codes. */
const TITLE = /^[A-Za-z_$][\w$]{0,80}(?: \[\w{1,80}\])?/;
/** A line of a stack after the error's text. */
const CALL = /^ {4}at .*(?::\d+:\d+|<anonymous>|native|index \d+)\)?$/;
/** A line that names a file or one of Node's modules. */
const FRAME = /^ {4}at (?:async )?(?:.*?\()?((?:file:\/\/|node:|\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?$/;

/**
 * Returns the class of an error and the place where it was made: `TypeError at /app/orders.js:12:5`.
 *
 * The error's text, its own properties and its function names may contain a phone number or a message: none is used.
 * Anything can be thrown, so nothing about the value is trusted.
 */
export function nameOf(thrown: unknown): string {
  try {
    // `isNativeError` also accepts errors of another realm, such as Node's own under Jest.
    if (!(thrown instanceof Error) && !types.isNativeError(thrown))
      return `a thrown ${thrown === null ? "null" : typeof thrown}`;
    const name = classOf(thrown);
    const place = placeOf(thrown);
    return place === undefined ? name : `${name} at ${place}`;
  } catch {
    return "a thrown object";
  }
}

/** The innermost class that has a name. Own properties are skipped: a `constructor` among them may be received data. */
function classOf(error: Error): string {
  for (let of = prototypeOf(error); of !== null; of = prototypeOf(of)) {
    const constructor: unknown = Object.getOwnPropertyDescriptor(of, "constructor")?.value;
    const name: unknown =
      typeof constructor === "function" && Object.getOwnPropertyDescriptor(constructor, "name")?.value;
    if (typeof name === "string" && NAME.test(name)) return name;
  }
  return "Error";
}

const prototypeOf = Object.getPrototypeOf as (of: object) => object | null;

/**
 * Returns file, line and column of the innermost function, from the lines of the stack after the error's text.
 *
 * The stack keeps the text that the error was made with. If the error's text has changed since, the rest of the old
 * text may look like a frame. So every line after the text must be a frame, and there must not be more than V8 writes.
 */
function placeOf(error: Error): string | undefined {
  const { message, stack }: { message: unknown; stack?: unknown } = error;
  if (typeof message !== "string" || typeof stack !== "string") return undefined;
  const title = TITLE.exec(stack)?.[0];
  const head = message === "" ? `${title}\n` : `${title}: ${message}\n`;
  if (title === undefined || !stack.startsWith(head)) return undefined;
  const calls = stack.slice(head.length).split("\n");
  if (calls.length > Error.stackTraceLimit || !calls.every((call) => CALL.test(call))) return undefined;
  for (const call of calls) {
    const place = FRAME.exec(call)?.[1];
    if (place !== undefined) return place;
  }
  return undefined;
}
