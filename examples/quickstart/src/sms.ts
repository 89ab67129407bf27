// What happens when a subscriber texts you. Take this file into your app, and put your own calls where lines are printed.

import { HELP, incomingSms, OPT_OUT } from "express-kaleyra-sms";

/** Subscribers who want no more messages. Yours is a table in your database. */
export const optedOut = new Set<string>();

/** Choose a long random one, and enter it as a custom HTTP header of the Callback Profile in the provider's console. */
const token = process.env.CALLBACK_TOKEN;

// Without a token, anyone may call: the router warns, and throws under NODE_ENV=production.
export const sms = incomingSms({
  authenticate: token === undefined ? undefined : { header: "X-Callback-Token", value: token },
});

sms.keyword(OPT_OUT, ({ keyword, message }) => {
  optedOut.add(message.source);
  print("keyword", `${keyword}: ${message.source} wants no more messages`);
});

sms.keyword(HELP, ({ keyword, message }) => {
  print("keyword", `${keyword}: ${message.source} asks for help`);
});

// What no keyword matched.
sms.on("unmatched", (message) => {
  print("unmatched", `from ${message.source}: a person should read this`);
});

// Every valid callback, whatever else it leads to. Without a text: a GET callback that does not pass it.
sms.on("message", ({ source, recipient, text = "" }) => {
  print("message", `from ${source} to ${recipient}: ${JSON.stringify(text)}`);
});

// A duplicate: it was handled before, and is not handled again.
sms.on("duplicate", (message) => {
  print("duplicate", `from ${message.source}: handled before`);
});

// A callback that cannot be read. `problem.raw` is the only copy of it, and may hold personal data.
sms.on("invalid", (problem) => {
  print("invalid", `${problem.code}: ${problem.detail}`);
});

// A handler of yours threw, rejected or ran out of time. The provider was answered 500.
sms.on("error", ({ message, smsMessage }) => {
  print("error", `message ${smsMessage?.key}, not retried: ${message}`);
});

function print(event: string, line: string): void {
  console.log(`${event.padEnd(9)}  ${line}`);
}
