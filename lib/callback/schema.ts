// The JSON Schema of a callback's fields, generated from the table of fields.

import { FIELDS } from "./fields.js";

const requiredWhen = (when: (typeof FIELDS)[number]["required"]): string[] =>
  FIELDS.filter((field) => field.required === when).map((field) => field.name);

/**
 * The schema (JSON Schema 2020-12) that is published as `express-kaleyra-sms/schema.json`. It describes the fields
 * after reading: every value is a string, and absent fields are left out. The root applies to both methods.
 * `$defs/POST` adds what POST requires.
 */
export const SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "urn:express-kaleyra-sms:incoming-sms",
  title: "Kaleyra incoming SMS callback",
  description: "The fields of one callback, each a string. For POST, use #/$defs/POST, which also requires message.",
  type: "object",
  properties: Object.fromEntries(
    FIELDS.map((field) => [
      field.name,
      {
        description: field.description,
        type: "string",
        ...("only" in field ? { const: field.only } : {}),
        examples: [field.example],
      },
    ]),
  ),
  required: requiredWhen("always").filter((name) => name !== "recipient"),
  if: { properties: { to: true }, required: ["to"] },
  else: { properties: { recipient: true }, required: ["recipient"] },
  $defs: {
    POST: {
      $ref: "#",
      type: "object",
      properties: Object.fromEntries(requiredWhen("POST").map((name) => [name, true])),
      required: requiredWhen("POST"),
    },
  },
};
