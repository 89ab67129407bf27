// Holds fields against the schema, and tells what is wrong with them in words that help and give nothing away.

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
 * Makes the check of a callback's fields.
 *
 * @param asked - the fields that the callback profile asks for, where one is given: others are not required
 * @param schema - a schema of the user's own over the fields, JSON Schema 2020-12; both must hold
 * @throws TypeError where that schema does not compile
 */
export function createValidate(schema: object | undefined, asked: ReadonlySet<string> | undefined): Validate {
  const own = schema === undefined ? undefined : compile(schema);
  const names =
    schema === undefined ? undefined : new Set(Object.keys((schema as { properties?: object }).properties ?? {}));
  return (fields, method) => {
    const validate = method === "POST" ? validatePost : validateGet;
    const valid = validate(fields);
    if (valid && own === undefined) return NONE;
    const errors = valid ? [] : (validate.errors ?? []);
    const ownErrors = own === undefined || own(fields) ? [] : (own.errors ?? []);
    return [...errors.filter((error) => isOfAsked(error, asked)), ...ownErrors]
      .filter(({ keyword }) => keyword !== "if")
      .map((error) => issueOf(error, names));
  };
}

function isOfAsked({ keyword, params }: ErrorObject, asked: ReadonlySet<string> | undefined): boolean {
  return asked === undefined || keyword !== "required" || asked.has(String(params.missingProperty));
}

function compile(schema: object): ValidateFunction {
  // Loaded only for those who bring a schema: the package's own is compiled at build time.
  const { Ajv2020 } = require("ajv/dist/2020.js") as typeof Ajv;
  if ("$async" in schema)
    throw invalidOption("options.schema is asynchronous ($async): a callback is checked at once.");
  const attempt = (some: object): ValidateFunction => new Ajv2020({ allErrors: true, logger: false }).compile(some);
  try {
    return attempt(schema);
  } catch (error) {
    const { message } = error as Error;
    const place = placeOf(schema, (some) => failsWith(message, () => attempt(some)));
    throw invalidOption(`options.schema is no JSON Schema that compiles: ${message}${place && ` (at ${place})`}.`, {
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

/** The JSON Pointer of the innermost schema that fails by itself; empty where that is the whole, whose message names the place. */
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

/** The message is ours, or Ajv's, which speaks of the schema and never of the value. */
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
      : `must be ${only}: another value is another callback, such as a delivery report, that was pointed at this endpoint by mistake`;
  return { field: knownName(name, names), message, rule: error.keyword };
}
