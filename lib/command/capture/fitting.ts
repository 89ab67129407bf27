// The options of `incomingSms` that fit a callback: as values, and as the code to paste.

import type { Decrypt } from "../../callback/decrypt.js";
import { isPart, isTableField, PAGE_LINE, variableOf } from "../../callback/fields.js";
import { callbackProfile, type CallbackProfile } from "../../callback/template/profile.js";
import type { CallbackProfileOptions } from "../../callback/template/profile-options.js";
import { FIELD_NAMES } from "../../callback/template/template.js";
import type { Evidence } from "./evidence.js";
import { literal, variableFor } from "./literal.js";
import { isPages, type Members } from "./members.js";

/** What the evidence of all texts together says. */
export interface Settled {
  readonly escaping: "json" | "none" | undefined;
  readonly timeZone: string | undefined;
}

type Options = (
  | { readonly profile: CallbackProfile; readonly methods?: undefined }
  | { readonly methods: ReadonlyArray<"GET" | "POST">; readonly profile?: undefined }
) &
  Settled & { readonly decrypt: Decrypt | undefined };

export interface Fit {
  readonly options: Options;
  /** A module that makes a router with these options. */
  readonly code: string;
}

/** In the place of the endpoint's URL, which only the console knows. */
const SOME_URL = "https://your.domain/sms";

/** @param comments - lines for the code that the user has to decide on */
export function fit(
  { shape, callback, decoding, encoded }: Evidence,
  members: Members,
  { escaping, timeZone }: Settled,
  comments: readonly string[],
): Fit {
  const profile = profileOptions(callback.method, shape.kind, members);
  const decrypt = decoding && decryptOf(decoding, members.names, encoded);
  const options = {
    ...(profile === undefined ? { methods: [callback.method] } : { profile: callbackProfile(profile) }),
    escaping,
    timeZone,
    decrypt: decrypt?.value,
  };
  const imports = ['import { incomingSms } from "express-kaleyra-sms";'];
  if (profile !== undefined) imports[0] = 'import { callbackProfile, incomingSms } from "express-kaleyra-sms";';
  if (decoding?.isCipher === true) imports.unshift('import { createDecipheriv } from "node:crypto";');
  const lines = [
    ...(profile === undefined ? [`methods: ["${callback.method}"],`] : codeOf(profile)),
    ...(escaping === undefined ? [] : [`escaping: "${escaping}",`]),
    ...(timeZone === undefined ? [] : [`timeZone: ${JSON.stringify(timeZone)},`]),
    ...(decrypt === undefined ? [] : [`decrypt: ${decrypt.code},`]),
    ...comments.map((comment) => `// ${comment}`),
  ];
  const code = [
    ...imports,
    "",
    ...(decoding === undefined ? [] : [...decoding.code, ""]),
    "const sms = incomingSms({",
    ...lines.map((line) => `  ${line}`),
    "});",
  ];
  return { options, code: code.join("\n") };
}

/**
 * A profile, if bodies are read by its template, or if the router would miss a field without one. A profile cannot
 * describe every template: then there is none, and only valid JSON is read.
 */
function profileOptions(
  method: "GET" | "POST",
  kind: Evidence["shape"]["kind"],
  members: Members,
): CallbackProfileOptions | undefined {
  const isTemplate = kind === "json" || kind === "text";
  const required = ["id", "source", "recipient", ...(method === "POST" ? ["message"] : [])];
  const names = members.names.map(variableOf);
  const isComplete = required.every((name) => names.includes(name));
  if (!members.isDescribable || (!isTemplate && isComplete)) return undefined;
  const fields = members.names.filter((name) => isPages(name) && (name === PAGE_LINE || !isPart(name)));
  const isPrinted = fields.join() === FIELD_NAMES.join();
  return {
    method,
    url: SOME_URL,
    ...(isPrinted ? {} : { fields }),
    ...(members.parts === 0 ? {} : { parts: members.parts }),
    ...(isTemplate && Object.keys(members.statics).length > 0 ? { statics: members.statics } : {}),
  };
}

function codeOf({ method, url, fields, parts, statics }: CallbackProfileOptions): string[] {
  return [
    "profile: callbackProfile({",
    `  method: "${method}",`,
    `  url: "${url}",`,
    ...(fields === undefined ? [] : [`  fields: ${listOf(fields)},`]),
    ...(parts === undefined ? [] : [`  parts: ${parts},`]),
    ...(statics === undefined ? [] : ["  statics: {", ...staticsOf(statics), "  },"]),
    "}),",
  ];
}

function staticsOf(statics: Readonly<Record<string, string>>): string[] {
  return Object.entries(statics).map(([name, value]) => {
    const variable = variableFor(name, value);
    const code = variable === undefined ? literal(value) : `process.env.${variable} ?? ""`;
    return `    ${/^[A-Za-z]\w*$/.test(name) ? name : literal(name)}: ${code},`;
  });
}

function listOf(names: Iterable<string>): string {
  return `[${Array.from(names, literal).join(", ")}]`;
}

type Decoding = NonNullable<Evidence["decoding"]>;

/** Of a cipher, the fields that are not encrypted are named: what is empty here may come encrypted. */
function decryptOf(
  { open, isCipher }: Decoding,
  names: readonly string[],
  encoded: ReadonlySet<string>,
): { readonly value: Decrypt; readonly code: string } {
  const plain = names.filter((name) => !encoded.has(name));
  if (plain.length === 0) return { value: open, code: "open" };
  if (isCipher)
    return {
      value: (value, field) => (plain.includes(field) ? value : open(value)),
      code: `(value, field) => (${listOf(plain)}.includes(field) ? value : open(value))`,
    };
  const texts = [...encoded].filter((name) => name === "message" || isPart(name));
  if (texts.length === encoded.size)
    return {
      value: (value, field) => (field === "message" || isPart(field) ? open(value) : value),
      code: '(value, field) => (field === "message" || field.startsWith("parts[") ? open(value) : value)',
    };
  const others = names.filter((name) => !isTableField(name));
  return {
    value: (value, field) => (others.includes(field) ? value : open(value)),
    code: others.length === 0 ? "open" : `(value, field) => (${listOf(others)}.includes(field) ? value : open(value))`,
  };
}
