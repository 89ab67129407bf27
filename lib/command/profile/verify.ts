// `profile verify`: whether the console holds what the code declares.

import { printableName } from "../../callback/template/printable-name.js";
import { fault } from "../failure.js";
import { verb } from "../verb.js";
import { assertWhich, CREDENTIALS_NOTE, PROVIDER_OPTIONS } from "./account.js";
import { count, differences, ENCRYPTED, listed } from "./compare.js";
import { declared, DECLARED_OPTIONS } from "./declared.js";
import { ProviderApi } from "./provider-api.js";

export const profileVerify = verb({
  name: "profile verify",
  summary:
    "Compares the Callback Profile in the console with your code, and exits with 1 if they differ. " +
    "It changes nothing, so it suits CI and cron.",
  options: { ...DECLARED_OPTIONS, ...PROVIDER_OPTIONS, encrypted: ENCRYPTED },
  examples: [
    {
      line: "profile verify --profile dist/profile.js --id SG_1a2b --region in",
      does: "what a module of your app declares",
    },
    {
      line: "profile verify --url https://your.domain/sms --header X-Token=env:TOKEN --title sms --region eu",
      does: "a profile with all fields and one header",
    },
  ],
  notes: [
    "It compares the method, the endpoint, the template member by member, the names of headers, encryption " +
      "and the status. " +
      "Order and white space of the template do not matter. Values of headers are not compared.",
    "It exits with 2 if the API rejects the account, and with 3 if it does not answer: neither is about the profile.",
    CREDENTIALS_NOTE,
  ],
  run: async ({ options, signal }) => {
    assertWhich(options);
    const { profile } = await declared(options);
    const console = await new ProviderApi(options, signal).find(options);
    const found = differences({ profile, isEncrypted: options.encrypted }, console);
    const data = { id: console.id, title: printableName(console.title), status: console.status, differences: found };
    if (found.length === 0)
      return { data, text: "The console holds what the code declares, and the profile is active." };
    const isOff = found.some(({ part }) => part === "status");
    return {
      data,
      text: listed(found),
      failure: fault({
        code: isOff ? "profile-off" : "profile-differs",
        message: isOff
          ? `The profile is not active (${console.status}): no SMS arrives.`
          : `The console differs from the code in ${count(found.length)}.`,
        next: isOff
          ? "Fix what is listed, then enable the profile in the console."
          : "Correct the code, or the console: profile push changes its method, endpoint, template and headers.",
      }),
    };
  },
});
