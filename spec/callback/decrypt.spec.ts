// Encrypted values.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { expect, it } from "@jest/globals";
import { callbackProfile } from "express-kaleyra-sms";

import { callback } from "../support/callbacks";
import { recorder } from "../support/recorder";

const KEY = randomBytes(32);

/** The layout is this spec's own: a nonce of 12 bytes, the text, a tag of 16 bytes. */
function encrypt(text: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", KEY, nonce);
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64");
}

function decrypt(value: string): string {
  const bytes = Buffer.from(value, "base64");
  const decipher = createDecipheriv("aes-256-gcm", KEY, bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString("utf8");
}

const PLAIN = {
  id: "1",
  source: "919876543210",
  recipient: "+919812345678",
  message: 'say "hi" ✓',
  status: "SENT",
  keyword: "",
  operator: "<operator>",
  tenant: "acme",
};
const encrypted = (): Record<string, string> =>
  Object.fromEntries(Object.entries(PLAIN).map(([name, value]) => [name, value === "" ? "" : encrypt(value)]));

function without(fields: Record<string, string>, ...names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

it.each<[how: string, send: (sms: ReturnType<typeof recorder>["sms"]) => Promise<unknown>]>([
  ["JSON", (sms) => sms.receive({ method: "POST", body: JSON.stringify(encrypted()) })],
  ["a parsed body", (sms) => sms.receive({ method: "POST", body: encrypted() })],
  [
    "a form",
    (sms) =>
      sms.receive({
        method: "POST",
        body: new URLSearchParams(encrypted()).toString(),
        contentType: "application/x-www-form-urlencoded",
      }),
  ],
  ["a query", (sms) => sms.receive({ method: "GET", query: new URLSearchParams(encrypted()).toString() })],
])("decrypts each value of %s before validation", async (_, send) => {
  const { sms, messages, duplicates } = recorder({ decrypt });
  await send(sms);
  expect(messages).toMatchObject([{ source: "+919876543210", text: 'say "hi" ✓', parts: ["say", '"hi"', "✓"] }]);
  expect(messages[0]?.fields).toEqual(without(PLAIN, "keyword", "operator"));
  // Encrypting again gives other bytes, but the same callback.
  await send(sms);
  expect(duplicates).toHaveLength(1);
});

it("decrypts the values of a body that is read by the template", async () => {
  const profile = callbackProfile({ method: "POST", url: "https://example.com/sms", statics: { tenant: "acme" } });
  const open = (value: string, field: string): string => (field === "tenant" ? value : decrypt(value));
  const { sms, messages } = recorder({ decrypt: open, profile, escaping: "none" });
  const values = without(encrypted(), "keyword", "operator", "tenant");
  await sms.receive({ method: "POST", body: profile.render(values, { escaping: "none" }).body });
  expect(messages).toMatchObject([{ text: 'say "hi" ✓', fields: { tenant: "acme" } }]);
});

it("passes the field's name to the function", async () => {
  const seen: Array<[string, string]> = [];
  const { sms } = recorder({
    decrypt: (value, field) => {
      seen.push([field, value]);
      return value;
    },
  });
  await sms.receive({ method: "POST", body: { id: "1", source: "2", recipient: "3", message: "", tenant: "acme" } });
  expect(seen).toEqual([
    ["id", "1"],
    ["source", "2"],
    ["recipient", "3"],
    ["tenant", "acme"],
  ]);
});

it.each<[how: string, decrypt: unknown]>([
  [
    "throws",
    () => {
      throw new Error("c4n4ry");
    },
  ],
  ["does not return a string", () => Buffer.from("x")],
  ["returns nothing", () => undefined],
  ["is async by mistake", () => Promise.reject(new Error("c4n4ry"))],
  [
    "returns a thenable that rejects",
    () => ({ then: (_: unknown, reject: (cause: Error) => void) => reject(new Error("c4n4ry")) }),
  ],
])("rejects the callback as undecryptable if the function %s, and reveals sent values only in raw", async (_, open) => {
  const { sms, invalid, messages, lines } = recorder({
    decrypt: (value: string, field: string) =>
      field === "message" || field === "tenant" ? (open as () => string)() : value,
  });
  const body = JSON.stringify(callback({ message: "c4n4ry", tenant: "x" }));
  const receipt = await sms.receive({ method: "POST", body });
  expect(receipt).toMatchObject({ outcome: "invalid", status: 400 });
  expect(receipt.body + lines.join()).not.toContain("c4n4ry");
  expect(lines).toEqual([expect.stringMatching(/options\.decrypt .* "message": .*\(undecryptable\)/)]);
  expect(messages).toEqual([]);
  expect(invalid).toMatchObject([{ code: "undecryptable", status: 400, raw: body }]);
  expect(invalid[0]?.issues).toEqual([
    { field: "message", message: "could not be decrypted", rule: "decrypt" },
    { field: "(other)", message: "could not be decrypted", rule: "decrypt" },
  ]);
});

it.each<[how: string, encode: (text: string) => string, decode: (value: string) => string]>([
  ["percent escapes", encodeURIComponent, decodeURIComponent],
  ["hexadecimal", (text) => Buffer.from(text).toString("hex"), (value) => Buffer.from(value, "hex").toString()],
])("decodes values that are encoded once more, in %s", async (_, encode, decode) => {
  const { sms, messages } = recorder({ decrypt: decode });
  const body = { ...without(PLAIN, "operator"), message: 'é "✓" \n\\' };
  const encoded = Object.fromEntries(Object.entries(body).map(([name, value]) => [name, encode(value)]));
  await sms.receive({ method: "POST", body: JSON.stringify(encoded) });
  await sms.receive({ method: "GET", query: new URLSearchParams({ ...encoded, id: encode("2") }).toString() });
  const { status, tenant } = PLAIN;
  expect(messages).toMatchObject([
    { text: body.message, status, source: "+919876543210", fields: { tenant } },
    { text: body.message, status, source: "+919876543210", fields: { tenant } },
  ]);
});
