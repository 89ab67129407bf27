// Names what was thrown, without repeating what it says.

import { types } from "node:util";

const NAME = /^[A-Za-z_$][\w$]{0,80}$/;
/** What the class called itself when the stack was written, perhaps with a code of Node's. */
const TITLE = /^[A-Za-z_$][\w$]{0,80}(?: \[\w{1,80}\])?/;
/** Any line of a stack behind the error's text. */
const CALL = /^ {4}at .*(?::\d+:\d+|<anonymous>|native|index \d+)\)?$/;
/** One in a file or in a module of Node's. */
const FRAME = /^ {4}at (?:async )?(?:.*?\()?((?:file:\/\/|node:|\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?$/;

/**
 * The class of an error, and the place where it was made: `TypeError at /app/orders.js:12:5`. Its text, its own properties and the names of its
 * functions may hold a number or a message. Anything may be thrown, and nothing of it is trusted.
 */
export function nameOf(thrown: unknown): string {
  try {
    // Also an error of another realm, such as one of Node's own under Jest.
    if (!(thrown instanceof Error) && !types.isNativeError(thrown))
      return `a thrown ${thrown === null ? "null" : typeof thrown}`;
    const name = classOf(thrown);
    const place = placeOf(thrown);
    return place === undefined ? name : `${name} at ${place}`;
  } catch {
    return "a thrown object";
  }
}

/** The innermost class that has a name. An error may have a `constructor` of its own: what was sent, or anything else. */
function classOf(error: Error): string {
  for (let of = prototypeOf(error); of !== null; of = prototypeOf(of)) {
    const made: unknown = Object.getOwnPropertyDescriptor(of, "constructor")?.value;
    const name: unknown = typeof made === "function" && Object.getOwnPropertyDescriptor(made, "name")?.value;
    if (typeof name === "string" && NAME.test(name)) return name;
  }
  return "Error";
}

const prototypeOf = Object.getPrototypeOf as (of: object) => object | null;

/**
 * File, line and column of the innermost function. They stand behind the text in the stack, which keeps the text that the error was made with: if
 * the error has another one by now, what is left of the old one may look like a frame. So every line behind the text must be one, and there
 * must not be more of them than V8 writes.
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
