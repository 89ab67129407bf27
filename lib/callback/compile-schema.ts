// A step of the build, not a part of the package: writes schema.json, and beside this file the validators that Ajv compiles from it,
// so that a process that loads the package neither loads Ajv nor compiles anything.

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
