// The table of verbs: parsing, `--help` and docs/command.md come from it.

import { capture } from "./capture.js";
import { check } from "./check.js";
import { inboxDead } from "./inbox/dead.js";
import { inboxDiscard } from "./inbox/discard.js";
import { inboxForget } from "./inbox/forget.js";
import { inboxReplay } from "./inbox/replay.js";
import { inboxShow } from "./inbox/show.js";
import { inboxStats } from "./inbox/stats.js";
import { newApp } from "./new.js";
import { profilePrint } from "./profile/print.js";
import { profilePush } from "./profile/push.js";
import { profileVerify } from "./profile/verify.js";
import { send } from "./send.js";
import { simulator } from "./simulator.js";
import { tryKeywords } from "./try.js";
import type { Verb } from "./verb.js";

export const VERBS: readonly Verb[] = [
  newApp,
  simulator,
  send,
  capture,
  check,
  tryKeywords,
  profilePrint,
  profilePush,
  profileVerify,
  inboxStats,
  inboxDead,
  inboxShow,
  inboxReplay,
  inboxDiscard,
  inboxForget,
];
