// The table of verbs: parsing, `--help` and docs/command.md come from it.

import { newApp } from "./new.js";
import { send } from "./send.js";
import { simulator } from "./simulator.js";
import type { Verb } from "./verb.js";

export const VERBS: readonly Verb[] = [newApp, simulator, send];
