// Reads a template as the console holds it: the request body of POST, or the endpoint of GET. Names what the router
// could not read, and never a value: it may be a secret.

import { decode } from "../../base/query-string.js";
import { isPart, isTableField, isText, isVariable, PAGE_LINE, partNumber, variableOf } from "../fields.js";
import { isStaticName, isUrl } from "./profile-options.js";
import { readMembers, type WrittenMember } from "./read-members.js";
import { printableName } from "./printable-name.js";
import { escapeJson, MOST_PARTS, variablesIn, type Member } from "./template.js";

/** A member of the console's template, or what the router does not understand of it. */
export type ConsoleMember = Member | { readonly name: string; readonly problem: string };

export interface ConsoleTemplate {
  readonly method: "GET" | "POST";
  /** The endpoint of GET without the members. `undefined` under POST: a body does not name its endpoint. */
  readonly url: string | undefined;
  /** In the console's order, each name once. */
  readonly members: readonly ConsoleMember[];
}

/** In characters: far longer than a template, and short enough for the patterns that read it. */
const MOST_CHARACTERS = 65_536;
/** How many problems are named: a sentence that lists thousands helps nobody. */
const MOST_PROBLEMS = 20;

/** @returns what is not understood of the whole text, as a sentence, in place of a template */
export function readTemplate(text: string): ConsoleTemplate | { readonly problem: string } {
  if (text.length > MOST_CHARACTERS)
    return { problem: `It has ${text.length} characters: at most ${MOST_CHARACTERS} are read.` };
  const body = text.replace(/^\uFEFF?[ \t\r\n]*/, "");
  if (body.startsWith("{")) return readBody(body);
  const trimmed = text.trim();
  if (/^https?:/i.test(trimmed)) return readEndpoint(trimmed);
  return {
    problem: trimmed.startsWith("<")
      ? "It looks like XML or HTML: choose JSON as the type of the request body."
      : "It is neither a JSON object, as the request body of POST, nor an http or https URL, as the endpoint of GET.",
  };
}

/** What is not understood of the members, as sentences: the first ones, if there are many. */
export function problemsOf({ members }: ConsoleTemplate): string[] {
  const problems = members.flatMap((member) =>
    "problem" in member ? [`"${printableName(member.name)}" ${member.problem}.`] : [],
  );
  if (!members.some((member) => "problem" in member || "variable" in member.content))
    problems.push('It requests no field: write a variable for each, such as "id": "<id>".');
  const numbers = members.map(({ name }) => partNumber(name)).filter((number) => number !== Infinity);
  const last = Math.max(0, ...numbers);
  if (last > numbers.length && last <= MOST_PARTS)
    problems.push(`parts[${last}] needs all parts before it: request them from parts[1] on.`);
  const others = problems.length - MOST_PROBLEMS;
  return others > 0 ? [...problems.slice(0, MOST_PROBLEMS), `And ${others} more.`] : problems;
}

function readBody(text: string): ReturnType<typeof readTemplate> {
  const written = readMembers(text);
  if ("problem" in written) return written;
  return { method: "POST", url: undefined, members: eachOnce(written.members.map(memberOfBody), false) };
}

function memberOfBody({ name, value }: WrittenMember): ConsoleMember {
  const how = (variable: string): string => `"${variable}": "<${variable}>"`;
  if (!isStaticName(name))
    return { name, problem: "has a name with an escape or a control character: use another name" };
  const member = memberOf(name, value, how);
  if (!("content" in member) || "variable" in member.content) return member;
  const literal = JSON.parse(`"${value}"`) as string;
  // A body is read back by the text of the template, so there is one way to write it.
  if (escapeJson(literal) !== value)
    return { name, problem: "has a value with needless escapes: write its characters as they are" };
  return { name, content: { literal } };
}

function readEndpoint(text: string): ReturnType<typeof readTemplate> {
  if (/[#\s]/.test(text)) return { problem: "The endpoint contains white space or #." };
  const mark = text.indexOf("?");
  const [inPath] = variablesIn(decode(mark === -1 ? text : text.slice(0, mark)));
  if (inPath !== undefined)
    return {
      problem:
        `The endpoint has the variable <${printableName(inPath)}> before its query. ` +
        "The router reads variables of the query only: write ?id=<id>, for instance.",
    };
  const pairs: Array<{ readonly name: string; readonly value: string; readonly at: number }> = [];
  for (let at = mark + 1; mark !== -1 && at < text.length;) {
    const [pair = ""] = text.slice(at).split("&", 1);
    const [name = ""] = pair.split("=", 1);
    if (pair !== "") pairs.push({ name: decode(name), value: pair.slice(name.length + 1), at });
    at += pair.length + 1;
  }
  const isIdQuoted = pairs.some(({ name, value }) => name === "id" && isQuoted(value));
  const members = pairs.map(({ name, value, at }) => ({
    at,
    // The router takes the provider's quotes off in the same cases.
    member: memberOfQuery(name, isQuoted(value) && (isIdQuoted || !isText(name)) ? value.slice(1, -1) : value),
  }));
  const first = members.findIndex(({ member }) => "problem" in member || "variable" in member.content);
  const begin = members[first];
  if (begin === undefined)
    return {
      problem:
        "The endpoint requests no field: under GET its query has variables, such as ?id=<id>. " +
        "For POST, give the request body.",
    };
  // What stands before the first variable belongs to the URL.
  const url = text.slice(0, begin.at - 1);
  if (!isUrl(url)) return { problem: "The endpoint is not an absolute http or https URL." };
  return {
    method: "GET",
    url,
    members: eachOnce(
      members.slice(first).map(({ member }) => member),
      true,
    ),
  };
}

function memberOfQuery(name: string, written: string): ConsoleMember {
  const value = decode(written);
  const member = memberOf(name, value, (variable) => `${variable}=<${variable}>`);
  if (!("content" in member) || "variable" in member.content) return member;
  if (!isStaticName(name)) return { name, problem: "has a name with a quote, a backslash or a control character" };
  return { name, content: { literal: value } };
}

/** `how` writes a variable under its own name. */
function memberOf(name: string, value: string, how: (variable: string) => string): ConsoleMember {
  const [first, ...others] = variablesIn(value);
  if (variablesIn(name).length > 0) return { name, problem: "has a variable in its name: use another name" };
  if (first === undefined) {
    if (isTableField(name)) return { name, problem: `is a field with a fixed value: write ${how(name)}` };
    return { name, content: { literal: value } };
  }
  const shown = printableName(first);
  if (others.length > 0)
    return { name, problem: `has several variables in one value: write each as a member, as in ${how(shown)}` };
  if (value !== `<${first}>`)
    return { name, problem: `has text beside the variable <${shown}>: write the variable alone` };
  if (!isVariable(first)) return { name, problem: `has <${shown}>, which is not a variable of the provider's page` };
  if (variableOf(name) !== first)
    return { name, problem: `has <${first}>, which is read under its own name only: write ${how(first)}` };
  if (name !== PAGE_LINE && isPart(name) && partNumber(name) > MOST_PARTS)
    return { name, problem: `is a part with a number above ${MOST_PARTS}: leave it out` };
  return { name, content: { variable: first } };
}

function isQuoted(value: string): boolean {
  return /^".*"$/s.test(value);
}

/** A variable of a query that stands twice with one value is one: the provider's page has `type=<type>` twice. */
function eachOnce(members: readonly ConsoleMember[], mayRepeat: boolean): ConsoleMember[] {
  const byName = new Map<string, ConsoleMember>();
  for (const member of members) {
    const { name } = member;
    const earlier = byName.get(name);
    if (earlier === undefined) byName.set(name, member);
    else if (!mayRepeat || JSON.stringify(earlier) !== JSON.stringify(member))
      byName.set(name, { name, problem: "is there more than once" });
  }
  return [...byName.values()];
}
