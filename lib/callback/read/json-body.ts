// Reads a JSON or text body: as JSON if it can be the provider's own, otherwise by the template.

import { isAbsent, isPart } from "../fields.js";
import type { Refusal } from "../invalid.js";
import { createMatchTemplate } from "../template/match.js";
import type { Template } from "../template/template.js";
import { readJson, type JsonRead } from "./json.js";
import { readParsedJson } from "./parsed-body.js";
import type { FieldsRead, Reading } from "./reading.js";

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
const NOT_JSON: Refusal = { code: "malformed-body", detail: "The body is not a JSON object." };
const DUPLICATE_KEY: Refusal = { code: "duplicate-field", detail: "The body has the same key more than once." };
const UNLIKE_PROFILE: Refusal = {
  code: "malformed-body",
  detail:
    "The body's keys are not those of the callback profile. " +
    "A body parser ran before this router and kept no bytes: mount the router before it.",
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

/** @param isDeclared - whether the template is that of `options.profile`: a body must have its members and no others */
export function createReadJsonBody(template: Template, isDeclared: boolean, escaping: Escaping): ReadJsonBody {
  const names = new Set(template.members.map(({ name }) => name));

  const matchTemplate = createMatchTemplate(template);
  const readByTemplate = (text: string): Reading => {
    const match = matchTemplate(text);
    if ("fits" in match) return { refusal: match.fits === "none" ? NO_MATCH : SEVERAL_MATCHES };
    const present = match.values.filter(([name, value]) => !isAbsent(name, value));
    return { fields: Object.fromEntries(present), unreadable: [], repaired: escaping === "auto" };
  };

  const hasAllMembers = (keys: readonly string[]): boolean =>
    keys.length === names.size && keys.every((name) => names.has(name));
  const isPrinted = (keys: readonly string[]): boolean => hasAllMembers(keys.filter((name) => !isPart(name)));
  const asJson = ({ read, names: keys }: JsonRead): FieldsRead =>
    isDeclared || isPrinted(keys) ? read : { ...read, otherKeys: keys };
  /**
   * With a declared profile, a body that is known to be escaped may lack keys. Any other body must have all of them,
   * because an unescaped text can look like JSON.
   */
  const isOfProfile = (keys: readonly string[]): boolean =>
    !isDeclared || (escaping === "json" ? keys.every((name) => names.has(name)) : hasAllMembers(keys));

  const readEscaped = (text: string): Reading => {
    const json = readJson(text);
    if (json === "not-json") return { refusal: NOT_JSON };
    if (json === "duplicate-key") return { refusal: DUPLICATE_KEY };
    return isOfProfile(json.names) ? asJson(json) : { refusal: UNKNOWN_KEY };
  };
  const readEither = (text: string): Reading => {
    const json = readJson(text);
    return typeof json !== "string" && isOfProfile(json.names) ? asJson(json) : readByTemplate(text);
  };
  return {
    text: { none: readByTemplate, json: readEscaped, auto: readEither }[escaping],
    parsed: (parsed) => {
      const keys = Object.keys(parsed);
      if (isOfProfile(keys)) return asJson({ read: readParsedJson(parsed), names: keys });
      return { refusal: escaping === "json" ? UNKNOWN_KEY : UNLIKE_PROFILE };
    },
  };
}
