// A build step, not part of the package. Writes schema.json, and next to this file the validators that Ajv compiles
// from the schema. A process that uses the package then neither loads Ajv nor compiles the schema.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import standalone = require("ajv/dist/standalone/index.js");

import { SCHEMA } from "./schema.js";

const ajv = new Ajv2020({ allErrors: true, strict: true, code: { source: true } });
ajv.addSchema(SCHEMA);
const code = standalone.default(ajv, { validateGet: SCHEMA.$id, validatePost: `${SCHEMA.$id}#/$defs/POST` });

writeFileSync(join(__dirname, "validators.js"), `${code}\n`);
writeFileSync(join(__dirname, "..", "..", "schema.json"), `${JSON.stringify(SCHEMA, undefined, 2)}\n`);
