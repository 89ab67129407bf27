// Compares what the console holds with what the code declares. Order and white space of a template do not matter.

import { decode, pairsOf } from "../../base/query-string.js";
import type { CallbackProfile } from "../../callback/template/profile.js";
import { readTemplate, type ConsoleMember } from "../../callback/template/read-template.js";
import { printableName } from "../../callback/template/printable-name.js";
import type { Member } from "../../callback/template/template.js";
import { PAGE_LINE } from "../../callback/fields.js";
import type { ConsoleProfile } from "./console-profile.js";

/** The option that says what the code expects of the console beside the profile. */
export const ENCRYPTED = { help: "The app decrypts values: the console must encrypt them." } as const;

export interface Difference {
  readonly part: "method" | "endpoint" | "template" | "headers" | "encryption" | "status";
  /** Of the member or the header. */
  readonly name?: string;
  /** What differs, as a sentence. It has no fixed value, and no value of a header. */
  readonly text: string;
}

interface Expected {
  readonly profile: CallbackProfile;
  /** Whether the app decrypts values. */
  readonly isEncrypted: boolean;
}

export function differences({ profile, isEncrypted }: Expected, console: ConsoleProfile): Difference[] {
  return [
    ...ofMethod(profile, console),
    ...(profile.method === "GET"
      ? ofEndpoint(profile, console)
      : [...ofUrl(profile, console), ...ofBody(profile, console)]),
    ...ofHeaderNames(profile, console),
    ...ofEncryption(isEncrypted, console),
    ...ofStatus(console),
  ];
}

/** The headers whose value differs, which only a push looks at. */
export function differingHeaderValues(
  { headers: declared }: CallbackProfile,
  { headers = {} }: ConsoleProfile,
): string[] {
  const held = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return Object.entries(declared)
    .filter(([name, value]) => held.has(name.toLowerCase()) && held.get(name.toLowerCase()) !== value)
    .map(([name]) => name);
}

/** As lines of the output. */
export function listed(found: readonly Difference[]): string {
  return found.map(({ part, text }) => `${part}: ${text}`).join("\n");
}

export function count(number: number): string {
  return number === 1 ? "one point" : `${number} points`;
}

function ofMethod(profile: CallbackProfile, { method }: ConsoleProfile): Difference[] {
  if (profile.method === method) return [];
  const held = /^[A-Z]{1,10}$/.test(method) ? method : "another one";
  return [{ part: "method", text: `The code has ${profile.method}, the console ${held}.` }];
}

function ofUrl({ endpoint }: CallbackProfile, { url }: ConsoleProfile): Difference[] {
  if (isSameUrl(endpoint, url)) return [];
  return [{ part: "endpoint", text: endpoints(endpoint, url) }];
}

function ofBody(profile: CallbackProfile, { body }: ConsoleProfile): Difference[] {
  if (body.trim() === "") return [{ part: "template", text: "The console has no request body." }];
  const read = readTemplate(body);
  const problem = "problem" in read ? read.problem : read.method === "GET" ? "It is a URL." : undefined;
  if ("problem" in read || problem !== undefined)
    return [{ part: "template", text: `The console's request body cannot be read. ${problem ?? ""}`.trim() }];
  return ofMembers(profile.template.members, read.members);
}

/** Under GET, the query is the template: what stands before the first variable as well. */
function ofEndpoint(profile: CallbackProfile, { url }: ConsoleProfile): Difference[] {
  const [declared, held] = [readTemplate(profile.endpoint), readTemplate(url)];
  if ("problem" in held) return [{ part: "template", text: `The console's endpoint cannot be read. ${held.problem}` }];
  const own = "problem" in declared ? profile.endpoint : (declared.url ?? "");
  const [ours, theirs] = [split(own), split(held.url ?? "")];
  return [
    ...(isSameUrl(ours.url, theirs.url) ? [] : [{ part: "endpoint" as const, text: endpoints(ours.url, theirs.url) }]),
    ...ofMembers([...ours.members, ...profile.template.members], [...theirs.members, ...held.members]),
  ];
}

function split(url: string): { readonly url: string; readonly members: Member[] } {
  const [base = "", query = ""] = url.split("?", 2);
  const members = pairsOf(query).map(([name, value]) => ({ name, content: { literal: decode(value) } }));
  return { url: base, members };
}

function ofMembers(declared: readonly Member[], held: readonly ConsoleMember[]): Difference[] {
  const ours = new Map(declared.map((member) => [member.name, member]));
  const theirs = new Map(held.map((member) => [member.name, member]));
  const differs = (name: string, text: string): Difference => {
    const shown = printableName(name);
    return { part: "template", name: shown, text: `"${shown}" ${text}.` };
  };
  const found: Difference[] = [];
  for (const { name, content } of declared) {
    const other = theirs.get(name);
    if (other === undefined) {
      if (name !== PAGE_LINE) found.push(differs(name, "is missing in the console"));
    } else if ("problem" in other) found.push(differs(name, other.problem));
    else if (JSON.stringify(other.content) !== JSON.stringify(content))
      found.push(differs(name, `${kindOf(content)} in the code, and ${kindOf(other.content, content)} in the console`));
  }
  for (const member of held) {
    if (ours.has(member.name) || member.name === PAGE_LINE) continue;
    found.push(
      differs(
        member.name,
        `is in the console, and not in the code${"problem" in member ? `; it ${member.problem}` : ""}`,
      ),
    );
  }
  return found;
}

function kindOf(content: Member["content"], other?: Member["content"]): string {
  if ("variable" in content) return `has <${content.variable}>`;
  return other !== undefined && "literal" in other ? "another one" : "has a fixed value";
}

function ofHeaderNames({ headers: declared }: CallbackProfile, { headers }: ConsoleProfile): Difference[] {
  if (headers === undefined) return [{ part: "headers", text: "The console's headers cannot be read." }];
  const has = (some: object, name: string): boolean =>
    Object.keys(some).some((one) => one.toLowerCase() === name.toLowerCase());
  const missing = Object.keys(declared).filter((name) => !has(headers, name));
  const foreign = Object.entries(headers).filter(([name, value]) => !has(declared, name) && !isHarmless(name, value));
  return [
    ...missing.map((name) => ({ part: "headers" as const, name, text: `${name} is missing in the console.` })),
    ...foreign
      .map(([held]) => printableName(held))
      .map((name) => ({
        part: "headers" as const,
        name,
        text: `${name} is in the console, and not in the code: declare it (--header), or remove it there.`,
      })),
  ];
}

/** Whatever a content type says, the router looks at the body, unless it says XML or multipart. */
function isHarmless(name: string, value: string): boolean {
  return name.toLowerCase() === "content-type" && !/xml|multipart/i.test(value);
}

function ofEncryption(isEncrypted: boolean, console: ConsoleProfile): Difference[] {
  if (isEncrypted === console.isEncrypted) return [];
  const text = console.isEncrypted
    ? "The console encrypts values: give the router options.decrypt and this command --encrypted, or switch it off."
    : "The console does not encrypt values, and --encrypted says that the app decrypts them.";
  return [{ part: "encryption", text }];
}

function ofStatus({ status }: ConsoleProfile): Difference[] {
  switch (status) {
    case "active":
      return [];
    case "auto-disabled":
      return [
        {
          part: "status",
          text:
            "The provider switched the profile off by itself (auto-disabled): no callback is sent. " +
            "Look in the console's Callback Reports for why its calls failed, fix that, and enable the profile there.",
        },
      ];
    case "disabled":
      return [{ part: "status", text: "The profile is disabled: no callback is sent. Enable it in the console." }];
    case "unknown":
      return [
        { part: "status", text: "The API gives a status that is not documented: look at the profile in the console." },
      ];
  }
}

function isSameUrl(one: string, other: string): boolean {
  if (one === other) return true;
  if (/\s/.test(other) || !URL.canParse(one) || !URL.canParse(other)) return false;
  return new URL(one).href === new URL(other).href;
}

function endpoints(declared: string, held: string): string {
  const [ours, theirs] = [shownUrl(declared), shownUrl(held)];
  if (ours === theirs) return `The code has ${ours}, and the console differs in what is not shown.`;
  return `The code has ${ours}, the console ${theirs}.`;
}

const MOST_SHOWN = 2_000;

/** A URL without user, password, and values of its query: they may be secrets. */
function shownUrl(url: string): string {
  if (!URL.canParse(url)) return "what is not a URL";
  const { protocol, host, pathname, search, username } = new URL(url);
  const names = pairsOf(search.slice(1)).map(([name]) => `${encodeURIComponent(name)}=…`);
  const query = names.length === 0 ? "" : `?${names.join("&")}`;
  const shown = `${protocol}//${username === "" ? "" : "…@"}${host}${pathname}${query}`;
  return shown.length > MOST_SHOWN ? `${shown.slice(0, MOST_SHOWN)}…` : shown;
}
