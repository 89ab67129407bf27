// The members of the console's template, as the callbacks show them: its fields, its parts, and its own names.

import { isPart, isVariable, PAGE_LINE, partNumber } from "../../callback/fields.js";
import { MOST_PARTS, variablesIn } from "../../callback/template/template.js";
import { holdsNumber, shownName } from "./finding.js";
import type { Shape } from "./shape.js";

export interface Members {
  /** In the order in which they came. */
  readonly names: readonly string[];
  /** How many of `parts[1]`, `parts[2]`, ... */
  readonly parts: number;
  /** Names that are not on the provider's page, with the value that came each time. */
  readonly statics: Readonly<Record<string, string>>;
  /** In how many callbacks each static had this value. One that was triggered again counts once. */
  readonly seen: number;
  /** Names that are not on the provider's page, with values that change, or are those of a field. */
  readonly renamed: ReadonlyMap<string, string | undefined>;
  /** Why `callbackProfile` cannot describe the template, in words. */
  readonly undescribable: readonly string[];
  readonly isDescribable: boolean;
}

/** A name that can stand in a template: without quotes, backslashes and control characters. */
const STATIC_NAME = /^[^"\\\p{Cc}\p{Cs}]+$/u;

/**
 * @param others - the shapes of all callbacks, this one included
 * @param open - reads a value that is encoded or encrypted
 */
export function membersOf(
  shape: Shape,
  others: readonly Shape[],
  open: (value: string, name: string) => string,
): Members {
  const { names } = shape;
  const valueOf = ({ parsed, raw }: Shape, name: string): string => {
    const value = parsed?.get(name) ?? raw?.get(name) ?? "";
    return value === "" ? value : open(value, name);
  };
  const parts = names.filter((name) => isPart(name) && name !== PAGE_LINE);
  const alike = others.filter((other) => other.kind !== "form" && sameNames(other, shape));
  const statics: Record<string, string> = {};
  const renamed = new Map<string, string | undefined>();
  for (const name of names.filter((one) => !isPages(one))) {
    const values = new Set(alike.map((other) => valueOf(other, name)));
    const value = valueOf(shape, name);
    const twin = names.find(
      (other) =>
        OWN_TO_EACH.has(other) && value !== "" && alike.every((one) => valueOf(one, name) === valueOf(one, other)),
    );
    if (values.size > 1 || twin !== undefined) renamed.set(name, twin);
    else statics[name] = value;
  }
  const undescribable = [
    ...[...renamed].map(([name, twin]) =>
      twin === undefined
        ? `${shownName(name)} changes, and is no field of the provider's page`
        : `${shownName(name)} has the value of ${twin}: if it is that variable, name it ${twin} in the console`,
    ),
    ...Object.keys(statics)
      .filter(holdsNumber)
      .map((name) => `${shownName(name)} may be somebody's number: use another name in the console`),
    ...Object.keys(statics)
      .filter((name) => !STATIC_NAME.test(name) || name === "__proto__")
      .map((name) => `${shownName(name)} cannot be the name of a static field`),
    ...Object.entries(statics)
      .filter(([name, value]) => variablesIn(`${name} ${value}`).length > 0)
      .map(
        ([name]) => `${shownName(name)} holds a variable that the provider did not fill in: remove it in the console`,
      ),
    ...(parts.every((name) => partNumber(name) <= parts.length) && parts.length <= MOST_PARTS
      ? []
      : [`the parts are not parts[1], parts[2] and so on without a gap`]),
  ];
  return {
    names,
    parts: parts.length,
    statics,
    seen: new Set(alike.map((other) => (names.includes("id") ? valueOf(other, "id") : other))).size,
    renamed,
    undescribable,
    isDescribable: undescribable.length === 0,
  };
}

function sameNames(one: Shape, other: Shape): boolean {
  return [...one.names].sort().join("\0") === [...other.names].sort().join("\0");
}

/** Whether the name is one of the provider's page: the console then puts a variable in its place. */
export function isPages(name: string): boolean {
  return isVariable(name) || name === "to";
}

/** Fields whose values two names do not share by chance, as they may share the name of a carrier. */
const OWN_TO_EACH: ReadonlySet<string> = new Set(["source", "recipient", "id", "kid", "message", "timestamp"]);
