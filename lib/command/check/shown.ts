// The credentials that a caller sends, and how to send others.

import type { Credentials } from "../credentials.js";

interface OneShown {
  readonly in: "header" | "query";
  readonly name: string;
  readonly value: string;
}

/** In the order in which it is sent. A name may be there twice. */
export type Shown = readonly OneShown[];

export const NOTHING_SHOWN: Shown = [];

export function shownBy({ headers, query }: Credentials): Shown {
  const all = (where: OneShown["in"], secrets: Credentials["headers"]): OneShown[] =>
    Object.entries(secrets).map(([name, { value }]) => ({ in: where, name, value }));
  return [...all("header", headers), ...all("query", query)];
}

/** What no answer may hold: each value, and the secret in it. */
export function secretsOf(shown: Shown): string[] {
  const secrets: string[] = [];
  const collect: Change = (secret) => {
    secrets.push(secret);
    return [];
  };
  allChanged(shown, collect);
  return [...shown.map(({ value }) => value), ...secrets];
}

/** The secrets to send in place of one; none if it cannot be changed in this way. */
export type Change = (secret: string) => readonly string[];

/** Changes one secret after the other, and leaves the others as they are. */
export function changedOneByOne(shown: Shown, change: Change): Array<{ readonly of: OneShown; readonly shown: Shown }> {
  return shown.flatMap((of) => {
    const changed = changedTo(of, change);
    return changed.length === 0 ? [] : [{ of, shown: shown.flatMap((one) => (one === of ? changed : [one])) }];
  });
}

export function allChanged(shown: Shown, change: Change): Shown {
  return shown.flatMap((one) => changedTo(one, change));
}

/** The secret of a header `Authorization` is its token or password, and not its scheme or user. */
function changedTo(one: OneShown, change: Change): OneShown[] {
  const isAuthorization = one.in === "header" && one.name.toLowerCase() === "authorization";
  const [, scheme = "", token = one.value] = (isAuthorization ? /^(\w+ )(.*)$/s.exec(one.value) : undefined) ?? [];
  const isBasic = scheme.toLowerCase() === "basic ";
  const pair = isBasic ? Buffer.from(token, "base64").toString() : token;
  const user = isBasic ? pair.slice(0, pair.indexOf(":") + 1) : "";
  const written = (secret: string): string => (isBasic ? Buffer.from(user + secret).toString("base64") : secret);
  return change(pair.slice(user.length)).map((secret) => ({ ...one, value: scheme + written(secret) }));
}
