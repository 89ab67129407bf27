// The template of a callback: a list of members, each a name and what stands behind it. From this one description a request is rendered,
// here, and a body is read back, in template-match.ts.

import { FIELDS } from "../fields.js";

/** What stands behind a name: a variable, which the provider substitutes, or a literal, which it leaves as it is. */
type Content = { readonly variable: string } | { readonly literal: string };

export interface Member {
  readonly name: string;
  readonly content: Content;
}

/** How many of `parts[1]`, `parts[2]`, ... a profile may ask for: each is a case of its own when a body is matched. */
export const MOST_PARTS = 100;

export interface Template {
  readonly members: readonly Member[];
  /** Whether `parts[1]`, `parts[2]`, ... and `parts[n]` may stand in a body beside the members. */
  readonly admitsParts: boolean;
}

/** The wire names of the table's fields but the parts, in the order of the request body on the provider's page. */
export const FIELD_NAMES: readonly string[] = FIELDS.map(({ name }) => name).filter((name) => name !== "parts[n]");

/** What is assumed where no profile is given: the request body on the provider's page. */
export const PRINTED_TEMPLATE: Template = {
  members: FIELD_NAMES.map((name) => ({ name, content: { variable: name } })),
  admitsParts: true,
};

/** Writes the members as a JSON object, one a line. `valueOf` gives what is substituted for a variable, as it is to stand there. */
export function renderBody({ members }: Template, valueOf: (variable: string) => string): string {
  const lines = members.map(({ name, content }) => {
    const value = "variable" in content ? valueOf(content.variable) : escapeJson(content.literal);
    return `"${escapeJson(name)}": "${value}"`;
  });
  return `{\n${lines.join(",\n")}\n}`;
}

/** Writes the members as a query. `valueOf` gives what is substituted for a variable, as it is to stand there. */
export function renderQuery({ members }: Template, valueOf: (variable: string) => string): string {
  const pairs = members.map(({ name, content }) => {
    if ("variable" in content) return `${name}=${valueOf(content.variable)}`;
    return `${encodeURIComponent(name)}=${encodeURIComponent(content.literal)}`;
  });
  return pairs.join("&");
}

/** A text as it stands between the quotes of a JSON string. */
export function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
