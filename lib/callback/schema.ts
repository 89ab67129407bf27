// The JSON Schema of a callback's fields, made from the table.

import { FIELDS } from "./fields.js";

const requiredWhen = (when: (typeof FIELDS)[number]["required"]): string[] =>
  FIELDS.filter((field) => field.required === when).map((field) => field.name);

/**
 * The schema (JSON Schema 2020-12) that `express-kaleyra-sms/schema.json` publishes. It describes the fields once they are read: every
 * value a string, absent ones left out. The root is what holds under both methods; `$defs/POST` adds what POST requires.
 */
export const SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "urn:express-kaleyra-sms:incoming-sms",
  title: "Kaleyra incoming SMS callback",
  description:
    "The fields of one callback, each a string. Under POST, use #/$defs/POST: there, message is required too.",
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
