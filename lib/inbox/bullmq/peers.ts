// Loads bullmq and ioredis, which the user installs and which only this inbox needs.

import type * as Bullmq from "bullmq";
import type * as Ioredis from "ioredis";

import { codedError } from "../../base/errors.js";

// Values with the same names as their types.
export const { Job, Queue, UnrecoverableError, WaitingError, Worker } = installed(
  () => require("bullmq") as typeof Bullmq,
  "bullmq",
);
export const { Redis } = installed(() => require("ioredis") as typeof Ioredis, "ioredis");

/** @throws Error if the package is not installed */
function installed<Package>(load: () => Package, name: string): Package {
  try {
    return load();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // The package itself is missing, not one of its dependencies.
    if (code !== "MODULE_NOT_FOUND" || !message.startsWith(`Cannot find module '${name}'`)) throw cause;
    throw codedError("KALEYRA_SMS_PEER_MISSING", {
      message: `express-kaleyra-sms/bullmq needs ${name}: npm install bullmq ioredis.`,
      cause,
    });
  }
}
