// Reads .env, if there is one. Imported first, before the files that use its settings. Variables that are set already win over it.

import { existsSync } from "node:fs";

if (existsSync(".env")) process.loadEnvFile();
