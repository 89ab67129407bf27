// What happens when a subscriber texts you: the file to take into your app.

const { incomingSms, OPT_OUT, POSSIBLE_OPT_OUT } = require("express-kaleyra-sms");

/** Subscribers who want no more messages. Yours is a table in your database. */
const optedOut = new Set();

// A header that the Callback Profile sends. Without it, anyone may call: the router warns, and throws under NODE_ENV=production.
const token = process.env.CALLBACK_TOKEN;
const sms = incomingSms({
  authenticate: token === undefined ? undefined : { header: "X-Callback-Token", value: token },
});

sms.keyword(OPT_OUT, ({ source }) => {
  optedOut.add(source);
  console.log(`${source} wants no more messages`);
});

// STOP within a sentence, for instance: a person decides.
sms.keyword(POSSIBLE_OPT_OUT, ({ source }) => console.log(`${source}: a person should read this`));

sms.on("message", ({ source, text }) => console.log(`${source} typed ${JSON.stringify(text)}`));

// A handler failed: its callback was answered 500. No number and no text of an SMS is logged.
sms.on("error", ({ smsMessage, message }) => console.error(`Message ${smsMessage.key}, not retried: ${message}`));

module.exports = { optedOut, sms };
