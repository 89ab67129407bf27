// The template of a callback: a list of members, each with a name and a content. This file renders requests from it,
// and match.ts reads bodies back by it.

import { FIELDS, PAGE_LINE } from "../fields.js";

/** The content of a member: a variable, which the provider replaces, or a literal, which it leaves unchanged. */
type Content = { readonly variable: string } | { readonly literal: string };

export interface Member {
  readonly name: string;
  readonly content: Content;
}

/**
 * How many of `parts[1]`, `parts[2]`, ... a profile may request. Limited, because each adds a case to the matching of a
 * body.
 */
export const MOST_PARTS = 100;

export interface Template {
  readonly members: readonly Member[];
  /** Whether a body may have `parts[1]`, `parts[2]`, ... and `parts[n]` in addition to the members. */
  readonly admitsParts: boolean;
}

/** The wire names of all fields except the parts, in the order of the request body on the provider's page. */
export const FIELD_NAMES: readonly string[] = FIELDS.map(({ name }) => name).filter((name) => name !== PAGE_LINE);

/** The request body on the provider's page: the template if no profile is given. */
export const PRINTED_TEMPLATE: Template = {
  members: FIELD_NAMES.map((name) => ({ name, content: { variable: name } })),
  admitsParts: true,
};

/**
 * The same template with the page's line of parts if it has none, or without it. A console may have the line or
 * not.
 */
export function withOtherLine({ members, admitsParts }: Template): Template {
  const others = members.filter(({ name }) => name !== PAGE_LINE);
  const isWithout = others.length === members.length;
  return {
    members: isWithout ? [...members, { name: PAGE_LINE, content: { variable: PAGE_LINE } }] : others,
    admitsParts,
  };
}

/** The names of the variables in a text: whatever the provider may take for one. */
export function variablesIn(text: string): string[] {
  return Array.from(text.matchAll(/<([\w.-]+(?:\[\w+\])?)>/g), ([, variable = ""]) => variable);
}

/** Renders a JSON object, one member a line. The result of `valueOf` replaces a variable, unchanged. */
export function renderBody({ members }: Template, valueOf: (variable: string) => string): string {
  const lines = members.map(({ name, content }) => {
    const value = "variable" in content ? valueOf(content.variable) : escapeJson(content.literal);
    return `"${escapeJson(name)}": "${value}"`;
  });
  return `{\n${lines.join(",\n")}\n}`;
}

/** Renders a query. The result of `valueOf` replaces a variable, unchanged. */
export function renderQuery({ members }: Template, valueOf: (variable: string) => string): string {
  const pairs = members.map(({ name, content }) => {
    if ("variable" in content) return `${name}=${valueOf(content.variable)}`;
    return `${encodeURIComponent(name)}=${encodeURIComponent(content.literal)}`;
  });
  return pairs.join("&");
}

/** Escapes a text for the inside of a JSON string. */
export function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
