// The smallest app that receives incoming SMS, in JavaScript.

const express = require("express");
const { incomingSms, OPT_OUT, POSSIBLE_OPT_OUT } = require("express-kaleyra-sms");

// A header that the Callback Profile sends along. Without it anybody may call: a warning says so, and under NODE_ENV=production it is an error.
const token = process.env.CALLBACK_TOKEN;
const sms = incomingSms({
  authenticate: token === undefined ? undefined : { header: "X-Callback-Token", value: token },
});
sms.keyword(OPT_OUT, ({ message }) => console.log(`${message.source} wants no more messages`));
sms.keyword(POSSIBLE_OPT_OUT, ({ message }) => console.log(`${message.source}: a person should read this`));
sms.on("message", (message) => console.log(`${message.source} typed ${JSON.stringify(message.text)}`));

const app = express();
app.use("/sms", sms);
const port = Number(process.env.PORT ?? 3000);
app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening at http://localhost:${port}/sms`);
});
