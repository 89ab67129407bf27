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
  console.log(`Listening at http://localhost:${server.address().port}/sms`);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await sms.close(); // new callbacks get 503; what is being handled finishes
    server.close();
  });
}
