// Loads bullmq and ioredis, which the user installs and which only this inbox needs.

import type * as Bullmq from "bullmq";
import type * as Ioredis from "ioredis";

import { codedError } from "../../base/errors.js";
import { isMissing, unlessEmpty } from "../../base/peer.js";

// Values with the same names as their types.
export const { Job, Queue, UnrecoverableError, WaitingError, Worker } = installed("bullmq", bullmq());
export const { Redis } = installed("ioredis", ioredis());

function bullmq(): typeof Bullmq | undefined {
  try {
    return unlessEmpty(require("bullmq") as typeof Bullmq);
  } catch (cause) {
    if (isMissing("bullmq", cause)) return undefined;
    throw cause;
  }
}

function ioredis(): typeof Ioredis | undefined {
  try {
    return unlessEmpty(require("ioredis") as typeof Ioredis);
  } catch (cause) {
    if (isMissing("ioredis", cause)) return undefined;
    throw cause;
  }
}

/** @throws Error if the package is not installed */
function installed<Package>(name: string, loaded: Package | undefined): Package {
  if (loaded !== undefined) return loaded;
  throw codedError("KALEYRA_SMS_PEER_MISSING", {
    message: `express-kaleyra-sms/bullmq needs ${name}: npm install bullmq ioredis.`,
  });
}
