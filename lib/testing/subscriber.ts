// A subscriber who sends SMS to a router, in a test.

import type { Receipt } from "../answer/receipt.js";
import { invalidArgument, invalidOption } from "../base/errors.js";
import { isRecord } from "../base/record.js";
import { isCallbackProfile, type CallbackProfile } from "../callback/template/profile.js";
import { stateOf } from "../pipeline/router-state.js";
import { callbackOf } from "../provider/as-callback.js";
import { renderText } from "../provider/render-text.js";
import type { IncomingSms } from "../router.js";

/** The options of `subscriber`. */
export interface SubscriberOptions {
  /** The subscriber's number. Default: `"919876543210"`. */
  readonly source?: string | undefined;
  /** The business number. Default: `"919812345678"`. */
  readonly recipient?: string | undefined;
  /**
   * The Callback Profile by which the texts are sent. Default: that of the router, or the one on the provider's page.
   */
  readonly profile?: CallbackProfile | undefined;
}

/** What can be said of a single text. */
export interface TextOptions {
  /** The keyword configured in the console. Default: none. */
  readonly keyword?: string | undefined;
  /** Default: that of the profile, or `"POST"`. */
  readonly method?: "GET" | "POST" | undefined;
  /** The `id` of the callback. Default: a new one, so that the same text twice is two messages. */
  readonly id?: string | undefined;
}

/** A subscriber, who sends texts to a router. */
export interface Subscriber {
  /**
   * Sends a text as the provider would. By GET without a profile, the provider passes the keyword and the words, but
   * not the text.
   *
   * @returns the receipt: without an inbox when the message was handled, with one when it was stored
   * @throws TypeError if the profile cannot send what is given
   */
  text(text: string, options?: TextOptions): Promise<Receipt>;
}

/**
 * Makes a subscriber who sends texts to a router, through `sms.receive`: no server is needed, and no secret checked.
 *
 * @throws TypeError if the argument is not a router, or an option is unknown or has a wrong value
 * @example
 * const { outcome, message } = await subscriber(sms).text("Stop, please");
 */
export function subscriber(sms: IncomingSms, options: SubscriberOptions = {}): Subscriber {
  const router = stateOf(sms, "subscriber");
  check("subscriber", options, ["source", "recipient"], ["profile"]);
  const { source, recipient, profile = router.profile } = options;
  if (profile !== undefined && !isCallbackProfile(profile))
    throw invalidOption("profile of subscriber takes a callbackProfile().");
  const escaping = router.escaping === "none" ? "none" : "json";

  return {
    text: async (text, how = {}) => {
      if (typeof text !== "string") throw invalidArgument("text takes a string.");
      check("text", how, ["keyword", "method", "id"], []);
      const { keyword, id, method } = how;
      if (method !== undefined && !["GET", "POST"].includes(method))
        throw invalidOption('method of text takes "GET" or "POST".');
      const rendered = renderText({ text, id, source, recipient, keyword }, { profile, method, escaping });
      return sms.receive(callbackOf({ body: "", ...rendered }));
    },
  };
}

/** @param strings - the names of options that take a string */
function check(called: string, options: object, strings: readonly string[], others: readonly string[]): void {
  const names = [...strings, ...others];
  if (!isRecord(options)) throw invalidOption(`${called} takes options in an object: ${names.join(", ")}.`);
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name))
      throw invalidOption(`${name} is not an option of ${called}. They are ${names.join(", ")}.`);
    if (strings.includes(name) && value !== undefined && typeof value !== "string")
      throw invalidOption(`${name} of ${called} takes a string.`);
  }
}
