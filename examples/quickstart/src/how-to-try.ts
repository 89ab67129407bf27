// Prints how to try the app: the page of the simulator, and the two callbacks that the provider's page prints, as commands.

import { envFile } from "./env.js";

export function printHowToTry(origin: string): void {
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
  const hasToken = process.env.CALLBACK_TOKEN !== undefined;
  const token = hasToken ? ' -H "X-Callback-Token: $CALLBACK_TOKEN"' : "";
  if (process.env.NODE_ENV !== "production")
    console.log(`Open ${origin}/simulator in your browser, and send an SMS from there.\n`);
  console.log(`Listening at ${url}. Paste ${hasToken ? "these" : "one of these"} into another terminal:\n`);
  if (hasToken) console.log(`${commandThatSetsToken()}\n`);
  console.log(`curl -g -i '${url}'${token} -H 'Content-Type: application/json' -d '${body}'\n`);
  console.log(`curl -g -i '${url}?${query}'${token}\n`);
}

/** The other terminal does not have what .env sets, and no secret is printed. */
function commandThatSetsToken(): string {
  if (envFile?.settings.CALLBACK_TOKEN !== process.env.CALLBACK_TOKEN)
    return "export CALLBACK_TOKEN=... # the one that you gave to this server";
  return `export CALLBACK_TOKEN="$(node --env-file='${envFile?.path}' -p process.env.CALLBACK_TOKEN)"`;
}
