// Reads .env, if there is one. Imported first, before the files that use its settings. Variables that are set already win over it.

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";

const path = resolve(".env");

/** Where it is, and what it sets. */
export const envFile = existsSync(path) ? { path, settings: parseEnv(readFileSync(path, "utf8")) } : undefined;

if (envFile !== undefined) process.loadEnvFile(path);
