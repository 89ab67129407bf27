// Loads bullmq and ioredis, which the user installs and which only this inbox needs.

import type * as Bullmq from "bullmq";
import type * as Ioredis from "ioredis";

import { codedError } from "../../base/errors.js";
import { ifInstalled } from "../../base/peer.js";

// Values with the same names as their types.
export const { Job, Queue, UnrecoverableError, WaitingError, Worker } = installed(
  () => require("bullmq") as typeof Bullmq,
  "bullmq",
);
export const { Redis } = installed(() => require("ioredis") as typeof Ioredis, "ioredis");

/** @throws Error if the package is not installed */
function installed<Package>(load: () => Package, name: string): Package {
  const loaded = ifInstalled(name, load);
  if (loaded !== undefined) return loaded;
  throw codedError("KALEYRA_SMS_PEER_MISSING", {
    message: `express-kaleyra-sms/bullmq needs ${name}: npm install bullmq ioredis.`,
  });
}
