// Finds out how encrypted values are laid out, given the key. The provider's page names AES in GCM or CFB mode, and not
// where the initialization vector and the tag stand: each usual layout is tried.

import { createDecipheriv, type CipherGCMTypes } from "node:crypto";

import { wrongUse } from "../failure.js";
import { secretOf } from "../secrets.js";
import type { Decoding } from "./decoding.js";

/** A secret in one of the forms in which a console may show it. */
interface Form {
  readonly encoding: "utf8" | "hex" | "base64";
  readonly bytes: Buffer;
}

export interface Keys {
  readonly keys: readonly Form[];
  readonly ivs: readonly Form[];
  /** The environment variables that hold them in the printed code. */
  readonly keyName: string;
  readonly ivName: string;
}

/** Reads `--key` and `--iv`. @throws Failure if a key is no AES key in any form, or an IV is given alone */
export function keysOf(key: string | undefined, iv: string | undefined): Keys | undefined {
  if (key === undefined) {
    if (iv !== undefined) throw wrongUse("--iv needs --key.", "Give the key that the console shows, too.");
    return undefined;
  }
  const keys = formsOf(secretOf(key, "key").value, [16, 24, 32]);
  if (keys.length === 0)
    throw wrongUse(
      "--key is not a key of AES.",
      "It has 16, 24 or 32 bytes: as they are, in hexadecimal or in Base64.",
    );
  const ivs = iv === undefined ? [] : formsOf(secretOf(iv, "iv").value, [12, 16]);
  if (iv !== undefined && ivs.length === 0)
    throw wrongUse(
      "--iv is not an initialization vector.",
      "It has 12 or 16 bytes: as they are, in hexadecimal or in Base64.",
    );
  return { keys, ivs, keyName: nameIn(key, "KALEYRA_KEY"), ivName: nameIn(iv, "KALEYRA_IV") };
}

function formsOf(secret: string, lengths: readonly number[]): Form[] {
  const hasForm = { utf8: /^/, hex: /^(?:[0-9a-f]{2})+$/i, base64: /^[\w+/-]+={0,2}$/ };
  return (["hex", "utf8", "base64"] as const)
    .filter((encoding) => hasForm[encoding].test(secret))
    .map((encoding) => ({ encoding, bytes: Buffer.from(secret, encoding) }))
    .filter(({ bytes }) => lengths.includes(bytes.length));
}

function nameIn(given: string | undefined, otherwise: string): string {
  return /^env:([A-Za-z_]\w*)$/.exec(given ?? "")?.[1] ?? otherwise;
}

interface Layout {
  readonly mode: "gcm" | "cfb" | "cfb8";
  readonly key: Form;
  readonly values: "base64" | "hex";
  /** The one that was given, or the number of bytes at the head of each value. */
  readonly iv: Form | 12 | 16;
  readonly tag: "last" | "first" | "none";
}

/** Every usual layout, the authenticated ones first. */
export function layoutsOf(keys: Keys): Decoding[] {
  const layouts: Layout[] = [];
  for (const key of keys.keys)
    for (const values of ["hex", "base64"] as const) {
      for (const tag of ["last", "first", "none"] as const)
        for (const iv of [...keys.ivs, 12, 16] as const) layouts.push({ mode: "gcm", key, values, iv, tag });
      for (const mode of ["cfb", "cfb8"] as const)
        for (const iv of [...keys.ivs, 16] as const)
          if (typeof iv === "number" || iv.bytes.length === 16) layouts.push({ mode, key, values, iv, tag: "none" });
    }
  const rank = ({ mode, tag }: Layout): number => (mode === "gcm" ? (tag === "none" ? 2 : 0) : 1);
  return layouts.sort((a, b) => rank(a) - rank(b)).map((layout) => decodingOf(layout, keys));
}

const TAG_BYTES = 16;
const GCM: Readonly<Record<number, CipherGCMTypes>> = { 16: "aes-128-gcm", 24: "aes-192-gcm", 32: "aes-256-gcm" };

function decodingOf(layout: Layout, names: Keys): Decoding {
  const { mode, key, values, iv, tag } = layout;
  const algorithm = `aes-${key.bytes.length * 8}-${mode}`;
  const head = typeof iv === "number" ? iv : 0;
  const start = head + (tag === "first" ? TAG_BYTES : 0);
  const end = tag === "last" ? -TAG_BYTES : undefined;
  const open = (value: string): string => {
    const bytes = Buffer.from(value.replaceAll(" ", "+"), values);
    const vector = typeof iv === "number" ? bytes.subarray(0, iv) : iv.bytes;
    const body = bytes.subarray(start, end);
    const gcm = mode === "gcm" ? GCM[key.bytes.length] : undefined;
    if (gcm === undefined) {
      const decipher = createDecipheriv(algorithm, key.bytes, vector);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString();
    }
    const decipher = createDecipheriv(gcm, key.bytes, vector, { authTagLength: TAG_BYTES });
    if (tag === "none") return decipher.update(body).toString();
    decipher.setAuthTag(tag === "last" ? bytes.subarray(-TAG_BYTES) : bytes.subarray(head, start));
    return Buffer.concat([decipher.update(body), decipher.final()]).toString();
  };
  const secret = (name: string, { encoding }: Form): string => `Buffer.from(process.env.${name} ?? "", "${encoding}")`;
  const vector = typeof iv === "number" ? `bytes.subarray(0, ${iv})` : "iv";
  const body = `bytes.subarray(${start}${end === undefined ? "" : `, ${end}`})`;
  return {
    name: [
      `encrypted with ${algorithm.toUpperCase()}, in ${values === "hex" ? "hexadecimal" : "Base64"}`,
      typeof iv === "number" ? `the IV in the first ${iv} bytes` : "the given IV",
      ...(mode !== "gcm" ? [] : [tag === "none" ? "no tag" : `the tag ${tag === "last" ? "last" : "before the text"}`]),
    ].join(", "),
    isCipher: true,
    open,
    code: [
      `const key = ${secret(names.keyName, key)};`,
      ...(typeof iv === "number" ? [] : [`const iv = ${secret(names.ivName, iv)};`]),
      "const open = (value) => {",
      `  const bytes = Buffer.from(value.replaceAll(" ", "+"), "${values}");`,
      `  const decipher = createDecipheriv("${algorithm}", key, ${vector});`,
      ...(mode !== "gcm" || tag === "none"
        ? []
        : [
            `  decipher.setAuthTag(${tag === "last" ? `bytes.subarray(-${TAG_BYTES})` : `bytes.subarray(${head}, ${start})`});`,
          ]),
      mode === "gcm" && tag === "none"
        ? `  return decipher.update(${body}).toString();`
        : `  return Buffer.concat([decipher.update(${body}), decipher.final()]).toString();`,
      "};",
    ],
  };
}

/** Whether a decrypted text can be one: a wrong layout gives bytes that are none. */
export function isText(text: string): boolean {
  return !/\ufffd|(?![\t\n\r])\p{Cc}/u.test(text);
}

const ENCODED = /^(?:[0-9a-f]{2}){16,}$|^[A-Za-z0-9+/_ -]{22,}={0,2}$/i;

/** Whether a callback's number and id look encrypted: neither is ever a long row of letters and digits. */
export function looksEncrypted(valueOf: (name: string) => string | undefined): boolean {
  return (
    ["source", "id"].every((name) => ENCODED.test(valueOf(name) ?? "")) && !/^[\d +()-]*$/.test(valueOf("source") ?? "")
  );
}
