// Names what was thrown, without repeating what it says.

import { types } from "node:util";

const NAME = /^[A-Za-z_$][\w$]{0,80}$/;
/** What stands before an error's text in its stack: what the class calls itself, perhaps with a code of Node's. */
const HEADER = /^[^:\n]{1,80}(?:: |(?=\n))/;
/** A frame in a file or in a module of Node's. */
const FRAME = /^ {4}at (?:async )?(?:.*?\()?((?:file:\/\/|node:|\/|[A-Za-z]:[\\/])[^()\n]*:\d+:\d+)\)?$/m;

/**
 * The class of an error, and the place where it was made: `TypeError at /app/orders.js:12:5`. Its text, its name and the names of its functions
 * may hold a number or a message. Anything may be thrown, and nothing of it is trusted.
 */
export function nameOf(thrown: unknown): string {
  try {
    // Also an error of another realm, such as one of Node's own under Jest.
    if (!(thrown instanceof Error) && !types.isNativeError(thrown))
      return `a thrown ${thrown === null ? "null" : typeof thrown}`;
    const { name } = thrown.constructor;
    const known = NAME.test(name) ? name : "Error";
    const place = placeOf(thrown);
    return place === undefined ? known : `${known} at ${place}`;
  } catch {
    return "a thrown object";
  }
}

/**
 * File, line and column of the innermost function. They stand behind the text in the stack, which keeps the text that the error was made with: if
 * the error has another one by now, nothing says where the old one ends.
 */
function placeOf({ message, stack = "" }: Error): string | undefined {
  const header = HEADER.exec(stack)?.[0] ?? "";
  const frames = header.length + message.length;
  const isUnchanged = stack.startsWith(`${message}\n    at `, header.length);
  return isUnchanged ? FRAME.exec(stack.slice(frames + 1))?.[1] : undefined;
}
