// The router that a block of a page makes.

import { runInNewContext } from "node:vm";
import { callbackProfile, incomingSms, type IncomingSms } from "express-kaleyra-sms";

/**
 * @param code - a block with `const sms = incomingSms(...)`
 * @param given - what else it uses, such as `process`
 */
export function routerOf(code: string, given: Readonly<Record<string, unknown>> = {}): IncomingSms {
  const logger = { warn: () => undefined, error: () => undefined };
  const make = (options: object): IncomingSms => incomingSms({ logger, ...options });
  return runInNewContext(code.replace("const sms = ", ""), {
    incomingSms: make,
    callbackProfile,
    ...given,
  }) as IncomingSms;
}
