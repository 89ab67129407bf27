// `profile print`: what to enter in the provider's console, field by field.

import type { CallbackProfile } from "../../callback/template/profile.js";
import { verb } from "../verb.js";
import { declared, DECLARED_OPTIONS, type Declared } from "./declared.js";

export const profilePrint = verb({
  name: "profile print",
  summary: "Prints what to paste into each field of the provider's console, in its order. It makes no request.",
  options: DECLARED_OPTIONS,
  examples: [
    { line: "profile print --profile dist/profile.js", does: "for what a module of your app declares" },
    {
      line: "profile print --url https://your.domain/sms --header X-Callback-Token=env:CALLBACK_TOKEN",
      does: "for all fields, with a secret",
    },
  ],
  notes: ["Values of headers are not printed: it says where each comes from."],
  run: async ({ options }) => {
    const code = await declared(options);
    const { method, endpoint, body, headers } = code.profile;
    return {
      data: { method, endpoint, ...(body === undefined ? {} : { body }), headers: Object.keys(headers) },
      text: [...fieldsOfProfile(code), "", ...stepsOfNumber()].join("\n"),
    };
  },
});

function fieldsOfProfile({ profile, origins }: Declared): string[] {
  const { method, endpoint } = profile;
  return [
    "In the console: profile settings, Callback Profiles, Add New Profile.",
    "",
    "Title: letters, digits, spaces, hyphens and underscores, for instance incoming-sms",
    "Channel: the default (no channel selected)",
    `HTTP method: ${method}`,
    ...(method === "GET"
      ? ["(GET passes the keyword and the requested parts, and not the text of the SMS: POST passes the text as well)"]
      : []),
    "",
    "Enter Endpoint:",
    endpoint,
    "",
    "Custom HTTP headers:",
    ...headerLines(origins),
    "",
    "Authentication: only if your app has { basic } or { bearer } in options.authenticate",
    "Encryption: only if your app has options.decrypt",
    ...bodyLines(profile),
    "",
    "Save, and copy the Callback Profile ID.",
  ];
}

function headerLines(origins: Declared["origins"]): string[] {
  const lines = Object.entries(origins).map(([name, origin]) => `${name}: ${origin}`);
  if (lines.length > 0) return lines;
  return ["(none is declared: without a secret in one, anyone who knows the URL can send callbacks)"];
}

function bodyLines({ body }: CallbackProfile): string[] {
  return body === undefined ? [] : ["", "Request Body, of the type JSON:", body];
}

/** The receive configuration, from the provider's page. */
function stepsOfNumber(): string[] {
  return [
    "Then for each of your numbers: Channels, SMS, Manage, Receive Message.",
    "1. New Configuration, or the configuration that is there.",
    "2. Switch on Trigger URL, and choose Callback ID as its Trigger Type.",
    "3. Choose this Callback Profile.",
    "4. Save.",
    "A default configuration gets every message that matches no keyword of the console.",
    "A keyword configuration ends on its expiry date: renew the one of STOP in time.",
  ];
}
