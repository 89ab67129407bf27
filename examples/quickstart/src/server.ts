// Starts the app, says how to try it, and stops it without losing what is being handled.

import "./env.js";
import { app } from "./app.js";
import { sms } from "./sms.js";

const port = portFrom(process.env.PORT);

const server = app.listen(port, (error) => {
  if (error === undefined) printHowToTry();
  else fail(error);
});

/** 3000 by default; 0 takes any free port. */
function portFrom(given = ""): number {
  const number = given === "" ? 3000 : Number(given);
  if (Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
  console.error("PORT must be a whole number from 0 to 65535: PORT=3001 npm start");
  process.exit(1);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void sms.close().then(() => server.close());
  });
}

function fail(error: NodeJS.ErrnoException): void {
  console.error(
    error.code === "EADDRINUSE"
      ? `Port ${port} is taken. Stop what listens there, or choose another: PORT=${port + 1} npm start`
      : `The server could not start: ${error.message}`,
  );
  process.exitCode = 1;
}

/** The page of the simulator first; then the two callbacks that the provider's page prints, as commands. */
function printHowToTry(): void {
  const address = server.address();
  const origin = `http://localhost:${typeof address === "object" ? (address?.port ?? port) : port}`;
  const url = `${origin}/sms`;
  const body = JSON.stringify({
    description: "Message has been sent",
    id: "90eXXXXX-8865-4a96-85b6-4XXXXXXXXX48",
    kid: "90e74b4c-8XXX-4a96-85b6-44XXXXXXX08",
    recipient: "+91XXXXXXXXXX",
    source: "91XXXXXXXXXX",
    status: "SENT",
    status_trace: "SENT",
    message: "UNSUBSCRIBE THE OFFER message",
    keyword: "SAMPLE",
    operator: "JIO",
    circle: "JIO ASSAM",
    timestamp: "2025-04-17 18:35:20",
    "parts[n]": "SAMPLE",
  });
  const query =
    'source="918240XXXXXX"&recipient="91987XXXXXXX"&description="Message%20has%20been%20sent"&status="SENT"&status_trace="SENT"' +
    '&id="90e74b4c-8865-4a96-85b6-4406e4XXXX48"&kid="90e74b4c-8865-4a96-85b6-4406eXXXXXXX"' +
    '&message="SUBSCRIBE%20THE%20OFFER%20message"&keyword=SAMPLE&circle="Airtel-Karnataka"&operator="Airtel"&parts[1]="SAMPLE"';
  const token = process.env.CALLBACK_TOKEN === undefined ? "" : ' -H "X-Callback-Token: $CALLBACK_TOKEN"';
  if (process.env.NODE_ENV !== "production")
    console.log(`Open ${origin}/simulator in your browser, and send an SMS from there.\n`);
  console.log(`Listening at ${url}. Paste one of these into another terminal:\n`);
  console.log(`curl -g -i '${url}'${token} -H 'Content-Type: application/json' -d '${body}'\n`);
  console.log(`curl -g -i '${url}?${query}'${token}\n`);
}
