// The smallest app that receives incoming SMS, in JavaScript.

const express = require("express");
const { incomingSms, OPT_OUT } = require("express-kaleyra-sms");

const sms = incomingSms();
sms.keyword(OPT_OUT, ({ message }) => console.log(`${message.source} wants no more messages`));
sms.on("message", (message) => console.log(`${message.source} typed ${JSON.stringify(message.text)}`));

const app = express();
app.use("/sms", sms);
app.listen(process.env.PORT ?? 3000, (error) => {
  if (error) throw error;
});
