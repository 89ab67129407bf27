// The two packages that are loaded only for this inbox, and that its user installs.

import type * as Bullmq from "bullmq";
import type * as Ioredis from "ioredis";

import { codedError } from "../../base/errors.js";

// Under the names of their types.
export const { Job, Queue, UnrecoverableError, WaitingError, Worker } = installed(
  () => require("bullmq") as typeof Bullmq,
  "bullmq",
);
export const { Redis } = installed(() => require("ioredis") as typeof Ioredis, "ioredis");

/** @throws Error that says what to install */
function installed<Package>(load: () => Package, name: string): Package {
  try {
    return load();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // Of the package itself, not of one that it needs.
    if (code !== "MODULE_NOT_FOUND" || !message.startsWith(`Cannot find module '${name}'`)) throw cause;
    throw codedError("KALEYRA_SMS_PEER_MISSING", {
      message: `express-kaleyra-sms/bullmq needs ${name}: npm install bullmq ioredis.`,
      cause,
    });
  }
}
