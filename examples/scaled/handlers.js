// What happens when a subscriber texts you: the file to take into your app.

import { HELP, OPT_IN, OPT_OUT, POSSIBLE_OPT_OUT } from "express-kaleyra-sms";

/** A handler may run more than once for one message: after it failed, and after a crash. These are safe to repeat. */
export function addHandlers(sms, { consent, log = console.log }) {
  sms.keyword(OPT_OUT, async ({ source, message }) => {
    await consent.optOut(source, message.receivedAt);
    log(`${source} wants no more messages since ${message.receivedAt}`);
  });

  sms.keyword(OPT_IN, async ({ source, message }) => {
    await consent.optIn(source, message.receivedAt);
    log(`${source} wants messages since ${message.receivedAt}`);
  });

  // A reply: not if this message opts out, or an earlier one did. To send it once, see the example "shop".
  sms.keyword(HELP, async ({ source }, { optOut }) => {
    if (optOut || (await consent.hasOptedOut(source))) return;
    log(`${source} gets help`);
  });

  // STOP within a sentence, for instance, and what no keyword matched: a person decides.
  sms.keyword(POSSIBLE_OPT_OUT, ({ message }) => log(`message ${message.id}: a person should read this`));
  sms.on("unmatched", (message) => log(`message ${message.id}: a person should read this`));
}
