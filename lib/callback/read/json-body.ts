// Reads a JSON or text body: as JSON if it can be the provider's own, otherwise by the template.

import { isAbsent, isPart, PAGE_LINE } from "../fields.js";
import type { Refusal } from "../invalid.js";
import { createMatchTemplate, type TemplateMatch } from "../template/match.js";
import { withOtherLine, type Template } from "../template/template.js";
import { splitWords } from "../words.js";
import { differingKeys, keysIn } from "./differing-keys.js";
import { readJson, type JsonRead } from "./json.js";
import { readParsedJson } from "./parsed-body.js";
import type { Fields, FieldsRead, Reading } from "./reading.js";

/** Whether the provider escapes the values that it inserts into a body: `json` yes, `none` no, `auto` unknown. */
export type Escaping = "auto" | "none" | "json";

const NO_MATCH: Refusal = {
  code: "malformed-body",
  detail: "The body is neither valid JSON without duplicate keys, nor does it match the callback profile's template.",
};
const SEVERAL_MATCHES: Refusal = {
  code: "ambiguous-body",
  detail: "A text in the body imitates the callback profile's template: the body can be read in several ways.",
};
export const NOT_JSON: Refusal = { code: "malformed-body", detail: "The body is not a JSON object." };
const DUPLICATE_KEY: Refusal = { code: "duplicate-field", detail: "The body has the same key more than once." };
const UNLIKE_PROFILE: Refusal = {
  code: "malformed-body",
  detail: "The body's keys are not those of the callback profile.",
};
const PARSED_UNLIKE_PROFILE: Refusal = {
  code: "malformed-body",
  detail:
    `${UNLIKE_PROFILE.detail} ` + "A body parser ran before this router and kept no bytes: mount the router before it.",
};
const UNKNOWN_KEY: Refusal = {
  code: "unknown-field",
  detail: "The body has a key that the callback profile does not declare.",
};

/** Reads JSON: as text, or as the object that a body parser returned. */
export interface ReadJsonBody {
  readonly text: (text: string) => Reading;
  readonly parsed: (parsed: Readonly<Record<string, unknown>>) => Reading;
}

/**
 * @param isDeclared - whether the template is that of `options.profile`: a body must have exactly its members, and may
 * have the page's own line of parts
 */
export function createReadJsonBody(template: Template, isDeclared: boolean, escaping: Escaping): ReadJsonBody {
  const names = new Set(template.members.map(({ name }) => name));
  const required = new Set(names);
  required.delete(PAGE_LINE);

  const matchDeclared = createMatchTemplate(template);
  const matchOther = isDeclared ? createMatchTemplate(withOtherLine(template)) : undefined;
  /** What the profile declares comes first: under it, no text can pass for the line of parts. */
  const matchTemplate = (text: string): TemplateMatch => {
    const match = matchDeclared(text);
    return matchOther !== undefined && "fits" in match && match.fits === "none" ? matchOther(text) : match;
  };
  const readByTemplate = (text: string, keys?: readonly string[]): Reading => {
    const match = matchTemplate(text);
    if ("values" in match) {
      const present = match.values.filter(([name, value]) => !isAbsent(name, value));
      return { fields: Object.fromEntries(present), unreadable: [], repaired: escaping === "auto" };
    }
    if (match.fits === "several") return { refusal: SEVERAL_MATCHES };
    return { refusal: isDeclared ? withKeys(NO_MATCH, keys ?? keysIn(text)) : NO_MATCH };
  };

  /** Adds the keys that differ from the profile, if any key of the body is one of its own. */
  const withKeys = (refusal: Refusal, keys: Iterable<string>): Refusal => {
    const sent = new Set(keys);
    const { issues, detail } = differingKeys(names, sent);
    if (detail === "" || !template.members.some(({ name }) => sent.has(name))) return refusal;
    const what = refusal === NO_MATCH ? UNLIKE_PROFILE : refusal;
    return { ...what, detail: `${what.detail} ${detail}`, issues };
  };

  const hasAllMembers = (keys: readonly string[]): boolean => {
    let count = 0;
    for (const name of keys) {
      if (required.has(name)) count++;
      else if (name !== PAGE_LINE) return false;
    }
    return count === required.size;
  };
  const isPrinted = (keys: readonly string[]): boolean => hasAllMembers(keys.filter((name) => !isPart(name)));
  const asJson = ({ read, names: keys }: JsonRead): FieldsRead =>
    isDeclared || isPrinted(keys) ? read : { ...read, otherKeys: keys };
  /**
   * With a declared profile, a body that is known to be escaped may lack keys. Any other body must have all of them,
   * because an unescaped text can look like JSON.
   */
  const isOfProfile = (keys: readonly string[]): boolean => {
    if (!isDeclared) return true;
    return escaping === "json" ? keys.every((name) => required.has(name) || name === PAGE_LINE) : hasAllMembers(keys);
  };
  /** Whether a text imitates the line of parts, which the profile does not declare. */
  const isTypedLine = ({ names: keys, read }: JsonRead, text: string): boolean => {
    if (!isDeclared || names.has(PAGE_LINE) || !keys.includes(PAGE_LINE)) return false;
    if (keys.at(-1) === PAGE_LINE && isProvidersLine(read.fields)) return false;
    return "values" in matchDeclared(text);
  };

  const readEscaped = (text: string): Reading => {
    const json = readJson(text);
    if (json === "not-json") return { refusal: NOT_JSON };
    if (json === "duplicate-key") return { refusal: DUPLICATE_KEY };
    return isOfProfile(json.names) ? asJson(json) : { refusal: withKeys(UNKNOWN_KEY, json.names) };
  };
  const readEither = (text: string): Reading => {
    const json = readJson(text);
    if (typeof json === "string") return readByTemplate(text);
    return isOfProfile(json.names) && !isTypedLine(json, text) ? asJson(json) : readByTemplate(text, json.names);
  };
  return {
    text: { none: readByTemplate, json: readEscaped, auto: readEither }[escaping],
    parsed: (parsed) => {
      const keys = Object.keys(parsed);
      if (isOfProfile(keys)) return asJson({ read: readParsedJson(parsed), names: keys });
      return { refusal: withKeys(escaping === "json" ? UNKNOWN_KEY : PARSED_UNLIKE_PROFILE, keys) };
    },
  };
}

/**
 * Whether the line of parts has a value that the provider would put there: none, a word of the text, or the keyword.
 */
function isProvidersLine({ message = "", keyword, [PAGE_LINE]: line }: Fields): boolean {
  return line === undefined || line === keyword || splitWords(message).includes(line);
}
