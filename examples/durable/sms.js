// What happens when a subscriber texts you: the file to take into your app.

import { incomingSms, OPT_OUT, POSSIBLE_OPT_OUT } from "express-kaleyra-sms";

import { reportFailures } from "./report.js";

// A header that the Callback Profile sends. Without it, anyone may call: the router warns, and throws under NODE_ENV=production.
const token = process.env.CALLBACK_TOKEN;
const byToken = token === undefined ? undefined : { header: "X-Callback-Token", value: token };

/** A test gives it an inbox in memory, an app of its own, and `authenticate: false`: nobody calls it. */
export function createSms({ inbox, app, authenticate = byToken, log = console }) {
  const sms = incomingSms({ inbox, authenticate });

  // A handler may run more than once for one message: after it failed, and after a crash. These two are safe to repeat.
  sms.keyword(OPT_OUT, ({ message }) => {
    app.optOut(message.source);
    console.log(`${message.source} wants no more messages`);
  });

  // STOP within a sentence, for instance: a person decides.
  sms.keyword(POSSIBLE_OPT_OUT, ({ message }) => console.log(`message ${message.id}: a person should read this`));

  sms.keyword("TOPUP", ({ args, message }) => {
    const amount = Number(args[0]);
    if (!Number.isInteger(amount) || amount < 1) return;
    const isFirst = app.topUp(message.key, message.source, amount);
    console.log(`${message.source} tops up ${amount}${isFirst ? "" : ", as was done before"}`);
  });

  reportFailures(sms, log);
  return sms;
}
