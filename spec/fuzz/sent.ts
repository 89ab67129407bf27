// Generates callbacks as the provider sends them, with texts that imitate its template, and with bytes deleted,
// doubled, changed or inserted.

import fc from "fast-check";
import { callbackProfile, type CallbackProfile } from "express-kaleyra-sms";

const FIELDS = [
  ..."source recipient description status status_trace id kid message keyword operator circle timestamp".split(" "),
];
const NAMES = [
  ...FIELDS,
  "parts[1]",
  "parts[2]",
  "parts[n]",
  "to",
  "tenant",
  "__proto__",
  "constructor",
  "toString",
  "",
];

const fragment = fc.oneof(
  fc.constantFrom(
    ...[
      '"',
      "\\",
      "\n",
      " ",
      "{",
      "}",
      '"}',
      '","',
      '":"',
      ",",
      ":",
      "[",
      "]",
      "&",
      "=",
      "+",
      "%",
      "%41",
      "%zz",
      "%C3",
    ],
    ...[
      "1e400",
      "12345678901234567890",
      "-0",
      "null",
      "true",
      "\\u0000",
      "\\ud800",
      "\0",
      "\ufeff",
      "\u2028",
      "🙏",
      "\ud800",
    ],
    ...["STOP", "<message>", "<operator>", "SENT", "'", "`", "</script>", "é"],
  ),
  fc.constantFrom(...NAMES).map((name) => `","${name}":"`),
  fc.constantFrom(...NAMES).map((name) => `&${name}=`),
  fc.constant(FIELDS.map((name) => `","${name}":"v`).join("")),
  fc.string({ unit: "binary", maxLength: 8 }),
);

/** A text of up to 39,015 characters. Most texts are short. */
const text = fc
  .tuple(fc.array(fragment, { maxLength: 10 }), fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 50, 1_000))
  .map(([parts, times]) => parts.join("").repeat(times).slice(0, 39_015));

/** The first value in three of four cases. */
const mostly = (first: string, ...others: string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(first) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const values = fc.record(
  {
    source: mostly("919876543210", "+919876543210", "5050", "VM-ACME", "<source>"),
    recipient: mostly("+919812345678", "5050", ""),
    status: mostly("SENT", "", "<status>", "DELIVERED"),
    id: mostly("90e74b4c", "1", ""),
    keyword: fc.constantFrom("", "SAMPLE", "<keyword>", "A B"),
    operator: fc.constantFrom("JIO", "", "a\\b"),
    message: text,
  },
  { requiredKeys: ["source", "recipient", "id", "message"] },
);

const profile = fc
  .record({
    fields: fc
      .shuffledSubarray(FIELDS, { minLength: 1 })
      .map((some) => [...new Set(["id", "source", "recipient", "message", ...some])]),
    parts: fc.constantFrom(0, 0, 1, 3),
    statics: fc.constantFrom({}, { tenant: "acme" }, { tenant: 'a","id":"1', tag: "" }),
  })
  .map((options) => callbackProfile({ method: "POST", url: "https://example.com/sms", ...options }));

/** One change to some bytes. */
const change = fc.tuple(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom("delete", "insert", "flip", "double", "cut"),
  fragment,
  fc.integer({ min: 1, max: 255 }),
);

/** Applies the changes to the bytes, one after the other. */
const applyChanges = (bytes: Buffer, changes: ReadonlyArray<[number, string, string, number]>): Buffer =>
  changes.reduce((before, [place, how, put, bits]) => {
    const at = Math.floor(place * before.length);
    const [head, tail] = [before.subarray(0, at), before.subarray(at)];
    if (how === "delete") return Buffer.concat([head, tail.subarray(bits % 7)]);
    if (how === "insert") return Buffer.concat([head, Buffer.from(put), tail]);
    if (how === "double") return Buffer.concat([head, tail.subarray(0, bits), tail]);
    if (how === "cut") return head;
    const flipped = Buffer.from(before);
    if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ bits;
    return flipped;
  }, bytes);

const changes = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 2, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }) },
);

/**
 * Returns a body of the profile as the provider may send it: escaped or not, in another order, with other white space.
 */
function writeBody(
  given: CallbackProfile,
  sent: Readonly<Record<string, string>>,
  { escaping, turn, space }: { escaping: "json" | "none"; turn: number; space: string },
): string {
  const known = Object.entries(sent).filter(([name]) => given.fields.includes(name));
  const body = given.render(Object.fromEntries(known), { escaping }).body ?? "";
  if (turn === 0) return body;
  const words = (sent.message ?? "").split(/\s+/).filter((word) => word !== "");
  const members = given.template.members.map(({ name, content }) => {
    const value =
      "literal" in content ? content.literal : (sent[name] ?? words[Number(/\d+/.exec(name)?.[0]) - 1] ?? "");
    const escaped = escaping === "json" || "literal" in content ? JSON.stringify(value) : `"${value}"`;
    return `"${name}"${space}:${space}${escaped}`;
  });
  const turned = [...members.slice(turn % members.length), ...members.slice(0, turn % members.length)];
  return `${space}{${space}${turned.join(`${space},${space}`)}${space}}${space}`;
}

export const jsonBody = profile.chain((given) =>
  fc
    .tuple(
      values,
      fc.record({
        escaping: fc.constantFrom("json" as const, "none" as const),
        turn: fc.nat(12),
        space: fc.constantFrom("", " ", "\r\n\t"),
      }),
      changes,
    )
    .map(([sent, how, some]) => ({
      profile: given,
      body: applyChanges(Buffer.from(writeBody(given, sent, how)), some),
    })),
);

/** A query, or the body of a form. */
export const query = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...NAMES), text), { maxLength: 6 }),
    values,
    fc.constantFrom("escaped", "raw", "quoted"),
    changes,
  )
  .map(([more, sent, how, some]) => {
    const pairs = [...Object.entries(sent), ...more].map(([name, value]) => {
      if (how === "raw") return `${name}=${value}`;
      const escaped = encodeURIComponent(value.toWellFormed());
      return how === "quoted" ? `${name}="${escaped}"` : `${encodeURIComponent(name)}=${escaped}`;
    });
    return applyChanges(Buffer.from(pairs.join("&")), some).toString();
  });

/** A small profile, and a short body made mostly of its literals. */
export const imitation = fc
  .record({
    fields: fc.shuffledSubarray(["message", "id", "kid"], { minLength: 1 }),
    parts: fc.constantFrom(0, 1, 2),
    statics: fc.constantFrom({}, { tenant: "z" }),
  })
  .map((options) => callbackProfile({ method: "POST", url: "https://example.com/sms", ...options }))
  .chain((given) => {
    const names = given.template.members.map(({ name }) => name);
    const seam = fc
      .tuple(fc.constantFrom(...names, "parts[n]"), fc.constantFrom("", "", " "))
      .map(([name, space]) => `"${space},${space}"${name}"${space}:${space}"`);
    const piece = fc.oneof(seam, seam, fc.constantFrom("x", '"', " ", "z", '"}', `{"${names[0] ?? ""}":"`));
    const values = fc.dictionary(fc.constantFrom(...names), fc.constantFrom("", "p"));
    return fc.tuple(fc.array(piece, { maxLength: 5 }), values, fc.nat(9), changes).map(([pieces, sent, turn, some]) => {
      const how = { escaping: "none" as const, turn, space: "" };
      const body = writeBody(given, { ...sent, message: pieces.join("") }, how);
      return { profile: given, body: applyChanges(Buffer.from(body), some).toString() };
    });
  });
