// The table of verbs: parsing, `--help` and docs/command.md come from it.

import { check } from "./check.js";
import { newApp } from "./new.js";
import { send } from "./send.js";
import { simulator } from "./simulator.js";
import type { Verb } from "./verb.js";

export const VERBS: readonly Verb[] = [newApp, simulator, send, check];
