// Finds every way to cut a body that fits a template, by trying all of them. Only for short bodies.

import type { CallbackProfile } from "express-kaleyra-sms";

type Members = CallbackProfile["template"]["members"];
type Fields = Readonly<Record<string, string>>;

const HEAD = /^[ \t\r\n]*\{[ \t\r\n]*"([^"]*)"[ \t\r\n]*:[ \t\r\n]*"/;
const NEXT = /^"[ \t\r\n]*,[ \t\r\n]*"([^"]*)"[ \t\r\n]*:[ \t\r\n]*"/;
const END = /^"[ \t\r\n]*\}[ \t\r\n]*$/;

/** Returns the values of the members for each way. */
export function findCuttings(members: Members, body: string): Fields[] {
  const byName = new Map(members.map((member) => [member.name, member]));
  const found = new Map<string, Fields>();

  const fits = (name: string, value: string): boolean => {
    const member = byName.get(name);
    if (member !== undefined && "literal" in member.content)
      return value === JSON.stringify(member.content.literal).slice(1, -1);
    if (name === "message") return true;
    return name.startsWith("parts[") ? !/\p{White_Space}/u.test(value) : !value.includes('"');
  };
  const cut = (from: number, name: string, before: Fields): void => {
    if (!byName.has(name) || Object.hasOwn(before, name)) return;
    for (let quote = body.indexOf('"', from); quote !== -1; quote = body.indexOf('"', quote + 1)) {
      const value = body.slice(from, quote);
      if (!fits(name, value)) continue;
      const fields = { ...before, [name]: value };
      const rest = body.slice(quote);
      if (END.test(rest) && Object.keys(fields).length === byName.size) found.set(JSON.stringify(fields), fields);
      const next = NEXT.exec(rest);
      if (next?.[1] !== undefined) cut(quote + next[0].length, next[1], fields);
    }
  };

  const head = HEAD.exec(body);
  if (head?.[1] !== undefined) cut(head[0].length, head[1], {});
  return [...found.values()];
}
