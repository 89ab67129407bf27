// Reads .env, if there is one. Imported first, before the files that use its settings. What the environment sets already wins.

import { existsSync } from "node:fs";

if (existsSync(".env")) process.loadEnvFile();
