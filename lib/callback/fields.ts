// The table of the fields of an incoming-SMS callback. It is the source of the JSON Schema, the types, the property
// names of a message and the table in docs/events.md. Its order is that of the request body on the provider's page.

interface FieldDefinition {
  /** The wire name: the provider's name of the field. */
  readonly name: string;
  /** The property of `SmsMessage` with the field exactly as sent, if there is one. */
  readonly property?: string;
  /** The methods under which a callback without this field is invalid. */
  readonly required: "always" | "POST" | "never";
  /** The only value that the provider's page lists. */
  readonly only?: string;
  /** Based on the provider's page. docs/events.md and the schema print it. */
  readonly description: string;
  readonly example: string;
}

export const FIELDS = [
  {
    name: "source",
    required: "always",
    description: "The subscriber's number, with or without +.",
    example: "+919876543210",
  },
  {
    name: "recipient",
    required: "always",
    description: "The business number that received the message. `to` is read where it is absent.",
    example: "+919812345678",
  },
  {
    name: "description",
    property: "description",
    required: "never",
    description: "Details of the request, whether it has been saved or not.",
    example: "Message has been sent",
  },
  {
    name: "status",
    property: "status",
    required: "never",
    only: "SENT",
    description:
      "The status of the request. Only SENT exists; another value is another callback, such as a delivery report.",
    example: "SENT",
  },
  {
    name: "status_trace",
    property: "statusTrace",
    required: "never",
    description: "The status trace of the request.",
    example: "SENT",
  },
  {
    name: "id",
    property: "id",
    required: "always",
    description: "Identifier of the request.",
    example: "90e74b4c-8865-4a96-85b6-4406e4000048",
  },
  {
    name: "kid",
    property: "kid",
    required: "never",
    description: "A second identifier of the request.",
    example: "90e74b4c-8865-4a96-85b6-44000000008f",
  },
  {
    name: "message",
    required: "POST",
    description: "What the subscriber typed; may be empty, and null is empty. The provider passes it under POST only.",
    example: "UNSUBSCRIBE THE OFFER message",
  },
  {
    name: "keyword",
    property: "keyword",
    required: "never",
    description: "The keyword configured in the console, at most 30 characters; empty under the default configuration.",
    example: "SAMPLE",
  },
  {
    name: "operator",
    property: "operator",
    required: "never",
    description: "The carrier through which the message came.",
    example: "JIO",
  },
  {
    name: "circle",
    property: "circle",
    required: "never",
    description: "The region in which the carrier operates.",
    example: "JIO ASSAM",
  },
  {
    name: "timestamp",
    property: "timestamp",
    required: "never",
    description: "When the request was triggered, as YYYY-MM-DD HH:MM:SS, in a zone that it does not name.",
    example: "2025-04-17 18:35:20",
  },
  {
    name: "parts[n]",
    required: "never",
    description: "Word n of the message, n from 1. The literal key parts[n] is read too.",
    example: "UNSUBSCRIBE",
  },
] as const satisfies readonly FieldDefinition[];

type Field = (typeof FIELDS)[number];

/** The fields that a message has exactly as sent, each in a property of its own. */
export const AS_SENT = FIELDS.filter((field): field is Extract<Field, { property: string }> => "property" in field);

/** The properties of `SmsMessage` with a field exactly as sent. */
export type AsSentProperty = (typeof AS_SENT)[number]["property"];

/** The variables of the provider's GET endpoint that are not in the table. `message.fields` keeps them, untyped. */
export const OTHER_NAMES: readonly string[] = [
  ..."to message_id sender type ref ref1 ref2 ref_custom msgid flash total price iso_code delivered submittime".split(
    " ",
  ),
  ..."sent_time country_name campaign_name length units".split(" "),
];

const TABLE: ReadonlySet<string> = new Set(FIELDS.map((field) => field.name));
const PLACEHOLDERS: ReadonlySet<string> = new Set([...TABLE, ...OTHER_NAMES].map((name) => `<${name}>`));

/** `parts[1]` to `parts[9999]`. The first group is the number of the word. */
const NUMBERED_PART = /^parts\[([1-9]\d{0,3})\]$/;
const NUMBERED_PART_PLACEHOLDER = /^<parts\[\d{1,4}\]>$/;

/** The variable of the provider's that a wire name stands for: its own, but `to` has the recipient. */
export function variableOf(name: string): string {
  return name === "to" ? "recipient" : name;
}

/** Whether the provider's page has this variable. */
export function isVariable(name: string): boolean {
  return isTableField(name) || (name !== "to" && OTHER_NAMES.includes(name));
}

/** Whether the table has a field of this name, or the name is `parts[1]`, `parts[2]`, ... */
export function isTableField(name: string): boolean {
  return TABLE.has(name) || isPart(name);
}

/** The name of the line on the provider's page that stands for all parts. */
export const PAGE_LINE = "parts[n]";

/** Whether the subscriber typed the value of this field. */
export function isText(name: string): boolean {
  return name === "message" || isPart(name);
}

export function isPart(name: string): boolean {
  return name === PAGE_LINE || (name.startsWith("parts[") && NUMBERED_PART.test(name));
}

/** The position of a part among the parts of a message: 1 for `parts[1]`. The literal `parts[n]` is the last one. */
export function partNumber(name: string): number {
  return Number(NUMBERED_PART.exec(name)?.[1] ?? Infinity);
}

/**
 * Whether the provider had no value for a field: the value is empty, or a placeholder that was not replaced
 * (`<operator>`). In `message`, both are text.
 */
export function isAbsent(name: string, value: string): boolean {
  if (name === "message") return false;
  return value === "" || isPlaceholder(value);
}

export function isPlaceholder(value: string): boolean {
  return value.startsWith("<") && (PLACEHOLDERS.has(value) || NUMBERED_PART_PLACEHOLDER.test(value));
}
