// The smallest app that receives incoming SMS, in JavaScript.

const { existsSync } = require("node:fs");
const express = require("express");

// Before sms.js, which reads the settings.
if (existsSync(".env")) process.loadEnvFile();
const { sms } = require("./sms.js");

const app = express();
app.use("/sms", sms);

const server = app.listen(Number(process.env.PORT ?? 3000), (error) => {
  if (error) throw error;
  const url = `http://localhost:${server.address().port}/sms`;
  const send = `npx express-kaleyra-sms send "STOP" --url ${url}`;
  // The other terminal does not have the settings of .env.
  const withToken = `(set -a; . ./.env; ${send} --header X-Callback-Token=env:CALLBACK_TOKEN)`;
  console.log(`Listening at ${url}. Try it from another terminal, in this folder:`);
  console.log(process.env.CALLBACK_TOKEN === undefined ? send : withToken);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await sms.close(); // new callbacks get 503; what is being handled finishes
    server.close();
  });
}
