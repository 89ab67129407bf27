// Reads a JSON or text body: as JSON where it can be the provider's own, otherwise by the template.

import type { Refusal } from "./invalid.js";
import { isAbsent, isPart } from "./fields.js";
import { readJson, type JsonRead } from "./json.js";
import type { FieldsRead, Reading } from "./reading.js";
import { createMatchTemplate } from "./template-match.js";
import type { Template } from "./template.js";

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
const FOREIGN: Refusal = {
  code: "unknown-field",
  detail: "The body holds a key that the callback profile does not have.",
};

/** @param isGiven - whether the template is that of a given profile, which a body must hold whole and alone */
export function createReadJsonBody(
  template: Template,
  isGiven: boolean,
  escaping: Escaping,
): (text: string) => Reading {
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

  if (escaping === "none") return matched;
  if (escaping === "json") {
    return (text) => {
      const json = readJson(text);
      if (json === "improper") return { refusal: NOT_JSON };
      if (json === "repeated") return { refusal: REPEATED };
      return isGiven && !json.names.every((name) => names.has(name)) ? { refusal: FOREIGN } : asJson(json);
    };
  }
  return (text) => {
    const json = readJson(text);
    return typeof json === "string" || (isGiven && !isWhole(json.names)) ? matched(text) : asJson(json);
  };
}
