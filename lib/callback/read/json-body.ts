// Reads a JSON or text body: as JSON where it can be the provider's own, otherwise by the template.

import { isAbsent, isPart } from "../fields.js";
import type { Refusal } from "../invalid.js";
import { createMatchTemplate } from "../template/match.js";
import type { Template } from "../template/template.js";
import { readJson, type JsonRead } from "./json.js";
import { readParsedJson } from "./parsed-body.js";
import type { FieldsRead, Reading } from "./reading.js";

/** Whether the provider escapes what it substitutes into a body: `json` where it does, `none` where it does not, `auto` where that is not known. */
export type Escaping = "auto" | "none" | "json";

const NO_FIT: Refusal = {
  code: "malformed-body",
  detail:
    "The body is neither proper JSON in which each key stands once, nor what the callback profile's template makes.",
};
const SEVERAL_FITS: Refusal = {
  code: "ambiguous-body",
  detail:
    "What was typed cannot be told apart from the callback profile's template: there are several ways to read the body.",
};
const NOT_JSON: Refusal = { code: "malformed-body", detail: "The body is not a JSON object." };
const REPEATED: Refusal = { code: "duplicate-field", detail: "A key stands in the body more than once." };
const PARSED: Refusal = {
  code: "malformed-body",
  detail:
    "The body's keys are not those of the callback profile, and a body parser before this endpoint kept nothing else of it: mount the router before it.",
};
const FOREIGN: Refusal = {
  code: "unknown-field",
  detail: "The body holds a key that the callback profile does not have.",
};

/** How JSON is read, as it came or as a body parser left it. */
export interface ReadJsonBody {
  readonly text: (text: string) => Reading;
  readonly parsed: (parsed: Readonly<Record<string, unknown>>) => Reading;
}

/** @param isGiven - whether the template is that of a given profile, which a body must hold whole and alone */
export function createReadJsonBody(template: Template, isGiven: boolean, escaping: Escaping): ReadJsonBody {
  const names = new Set(template.members.map(({ name }) => name));

  const matchTemplate = createMatchTemplate(template);
  const matched = (text: string): Reading => {
    const match = matchTemplate(text);
    if ("fits" in match) return { refusal: match.fits === "none" ? NO_FIT : SEVERAL_FITS };
    const present = match.values.filter(([name, value]) => !isAbsent(name, value));
    return { fields: Object.fromEntries(present), unreadable: [], repaired: true };
  };

  const isWhole = (keys: readonly string[]): boolean =>
    keys.length === names.size && keys.every((name) => names.has(name));
  const isPrinted = (keys: readonly string[]): boolean => isWhole(keys.filter((name) => !isPart(name)));
  const asJson = ({ read, names: keys }: JsonRead): FieldsRead =>
    isGiven || isPrinted(keys) ? read : { ...read, otherKeys: keys };
  /** Under a profile, what is known to be escaped may lack keys, and anything else may be a text that passes for JSON. */
  const isOfProfile = (keys: readonly string[]): boolean =>
    !isGiven || (escaping === "json" ? keys.every((name) => names.has(name)) : isWhole(keys));

  const escaped = (text: string): Reading => {
    const json = readJson(text);
    if (json === "improper") return { refusal: NOT_JSON };
    if (json === "repeated") return { refusal: REPEATED };
    return isOfProfile(json.names) ? asJson(json) : { refusal: FOREIGN };
  };
  const either = (text: string): Reading => {
    const json = readJson(text);
    return typeof json !== "string" && isOfProfile(json.names) ? asJson(json) : matched(text);
  };
  return {
    text: { none: matched, json: escaped, auto: either }[escaping],
    parsed: (parsed) => {
      const keys = Object.keys(parsed);
      if (isOfProfile(keys)) return asJson({ read: readParsedJson(parsed), names: keys });
      return { refusal: escaping === "json" ? FOREIGN : PARSED };
    },
  };
}
