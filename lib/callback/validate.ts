// Validates fields against the schema. Its messages help to find the problem and reveal no sent value.

import type { ErrorObject, ValidateFunction } from "ajv";
import type * as Ajv from "ajv/dist/2020.js";

import { invalidOption } from "../base/errors.js";
import { FIELDS } from "./fields.js";
import type { Issue } from "./invalid.js";
import { knownName, type Fields } from "./read/reading.js";
import { validateGet, validatePost } from "./validators.js";

export type Validate = (fields: Fields, method: "GET" | "POST") => readonly Issue[];

const NONE: readonly Issue[] = [];

/**
 * Creates the validator of a callback's fields.
 *
 * @param schema - the user's own JSON Schema (2020-12); fields must match both it and the package's schema
 * @param requested - the fields that the callback profile requests; with a profile, no other field is required
 * @throws TypeError if the user's schema does not compile
 */
export function createValidate(schema: object | undefined, requested: ReadonlySet<string> | undefined): Validate {
  const own = schema === undefined ? undefined : compile(schema);
  const names =
    schema === undefined ? undefined : new Set(Object.keys((schema as { properties?: object }).properties ?? {}));
  return (fields, method) => {
    const validate = method === "POST" ? validatePost : validateGet;
    const valid = validate(fields);
    if (valid && own === undefined) return NONE;
    const errors = valid ? [] : (validate.errors ?? []);
    const ownErrors = own === undefined || own(fields) ? [] : (own.errors ?? []);
    return [...errors.filter((error) => isRelevant(error, requested)), ...ownErrors]
      .filter(({ keyword }) => keyword !== "if")
      .map((error) => issueOf(error, names));
  };
}

function isRelevant({ keyword, params }: ErrorObject, requested: ReadonlySet<string> | undefined): boolean {
  return requested === undefined || keyword !== "required" || requested.has(String(params.missingProperty));
}

function compile(schema: object): ValidateFunction {
  // Loaded only if options.schema is given: the package's own schema is compiled at build time.
  const { Ajv2020 } = require("ajv/dist/2020.js") as typeof Ajv;
  if ("$async" in schema)
    throw invalidOption("options.schema is asynchronous ($async): callbacks are validated synchronously.");
  const attempt = (some: object): ValidateFunction => new Ajv2020({ allErrors: true, logger: false }).compile(some);
  try {
    return attempt(schema);
  } catch (error) {
    const { message } = error as Error;
    const place = placeOf(schema, (some) => failsWith(message, () => attempt(some)));
    throw invalidOption(`options.schema does not compile: ${message}${place && ` (at ${place})`}.`, {
      cause: error,
    });
  }
}

function failsWith(message: string, attempt: () => void): boolean {
  try {
    attempt();
    return false;
  } catch (error) {
    return (error as Error).message === message;
  }
}

/**
 * The JSON Pointer of the innermost schema that fails alone. Empty for the whole schema: its message names the place.
 */
function placeOf(schema: object, fails: (some: object) => boolean): string {
  for (const [key, inner] of Object.entries(schema) as Array<[string, unknown]>) {
    if (typeof inner !== "object" || inner === null) continue;
    const deeper = placeOf(inner, fails);
    if (deeper !== "" || (!Array.isArray(inner) && fails(inner))) return `/${key}${deeper}`;
  }
  return "";
}

const ONLY_VALUE: ReadonlyMap<string, string> = new Map(
  FIELDS.flatMap((field) => ("only" in field ? [[field.name, field.only]] : [])),
);

/** The message is ours or Ajv's. Ajv's messages describe the schema, never the value. */
function issueOf(error: ErrorObject, names: ReadonlySet<string> | undefined): Issue {
  const missing: unknown = error.params.missingProperty;
  if (error.keyword === "required" && typeof missing === "string") {
    // The name comes from a schema, not from the sender.
    return { field: missing, message: "is missing", rule: "required" };
  }
  const [, pointer = ""] = error.instancePath.split("/");
  const name = pointer.replaceAll("~1", "/").replaceAll("~0", "~");
  const only = error.keyword === "const" ? ONLY_VALUE.get(name) : undefined;
  const message =
    only === undefined
      ? (error.message ?? "does not match the schema")
      : `must be ${only}: this is another kind of callback, such as a delivery report, sent here by mistake`;
  return { field: knownName(name, names), message, rule: error.keyword };
}
