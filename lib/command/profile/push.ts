// `profile push`: makes a profile that is in the console hold what the code declares.

import type { CallbackProfile } from "../../callback/template/profile.js";
import { printableName } from "../../callback/template/printable-name.js";
import { fault } from "../failure.js";
import type { Output } from "../output.js";
import { verb } from "../verb.js";
import { assertWhich, CREDENTIALS_NOTE, PROVIDER_OPTIONS } from "./account.js";
import { count, differences, differingHeaderValues, ENCRYPTED, listed, type Difference } from "./compare.js";
import type { ConsoleProfile } from "./console-profile.js";
import { declared, DECLARED_OPTIONS } from "./declared.js";
import { ProviderApi, type Change } from "./provider-api.js";

export const profilePush = verb({
  name: "profile push",
  summary:
    "Shows how the Callback Profile in the console differs from your code, and changes it with --yes. " +
    "It changes a profile that is there, and creates none.",
  options: {
    ...DECLARED_OPTIONS,
    ...PROVIDER_OPTIONS,
    encrypted: ENCRYPTED,
    yes: { help: "Changes the profile. Without it, the differences are shown only." },
  },
  examples: [
    { line: "profile push --profile dist/profile.js --id SG_1a2b --region in", does: "shows what would change" },
    { line: "profile push --profile dist/profile.js --id SG_1a2b --region in --yes", does: "changes it" },
  ],
  notes: [
    "It changes the method, the endpoint, the template and the declared headers, only if they differ, " +
      "and reads the profile back. Headers that only the console has, encryption and the status are left to you: " +
      "it exits with 1 while they differ.",
    CREDENTIALS_NOTE,
  ],
  run: async ({ options, output, signal }) => {
    assertWhich(options);
    const { profile } = await declared(options);
    const api = new ProviderApi(options, signal);
    const compare = (console: ConsoleProfile): Difference[] => [
      ...differences({ profile, isEncrypted: options.encrypted }, console),
      ...differingHeaderValues(profile, console).map((name) => ({
        part: "headers" as const,
        name,
        text: `${name} has another value in the console.`,
      })),
    ];

    const before = await api.find(options);
    const found = compare(before);
    const change = changeFor(profile, before, found);
    const changes = CHANGEABLE.filter((member) => change[member] !== undefined);
    const { id } = before;
    const title = printableName(before.title);
    if (changes.length > 0 && !options.yes)
      return {
        data: { id, title, changed: [], wouldChange: changes, differences: found },
        text: listed(found),
        failure: fault({
          code: "not-confirmed",
          message: `Nothing was changed. It would change: ${changes.join(", ")}.`,
          next: "Add --yes to change the profile in the console.",
        }),
      };
    if (changes.length > 0) output.note(listed(found));
    const left = changes.length > 0 ? compare(await changed(api, id, change, output)) : found;
    // Whatever the API answers, what it then holds is what was changed.
    const kept = changes.filter((member) => !differsIn(member, profile, left));
    const data = { id, title, changed: kept, differences: left };
    const done =
      changes.length === 0
        ? "There was nothing to change."
        : `Changed: ${kept.length === 0 ? "nothing" : kept.join(", ")}.`;
    if (left.length === 0) return { data, text: `${done} The console holds what the code declares.` };
    return {
      data,
      text: `${done}\n${listed(left)}`,
      failure: fault({
        code: "profile-differs",
        message: `The console still differs from the code in ${count(left.length)}.`,
        next: "What is left is to be changed in the console.",
      }),
    };
  },
});

/** @returns the profile as it then is */
async function changed(api: ProviderApi, id: string, change: Change, output: Output): Promise<ConsoleProfile> {
  try {
    await api.change(id, change);
    return await api.read(id);
  } catch (cause) {
    output.note("The change was sent, and was not seen to be made: profile verify says what the console holds.");
    throw cause;
  }
}

const CHANGEABLE = ["http_method", "url", "body", "headers"] as const satisfies ReadonlyArray<keyof Change>;

/** Only what differs: the API leaves everything else as it is. */
function changeFor(profile: CallbackProfile, { headers }: ConsoleProfile, found: readonly Difference[]): Change {
  const differs = (member: keyof Change): boolean => differsIn(member, profile, found);
  return {
    ...(differs("http_method") && { http_method: profile.method }),
    ...(differs("url") && { url: profile.endpoint }),
    ...(profile.body !== undefined && differs("body") && { body: profile.body }),
    // What cannot be read is left alone.
    ...(headers !== undefined && differs("headers") && { headers: withOthers(profile.headers, headers) }),
  };
}

/** Whether a difference is in what this member of a change would set. */
function differsIn(member: keyof Change, profile: CallbackProfile, found: readonly Difference[]): boolean {
  return found.some(({ part, name }) => {
    switch (member) {
      case "http_method":
        return part === "method";
      case "url":
        return part === "endpoint" || (part === "template" && profile.method === "GET");
      case "body":
        return part === "template";
      case "headers":
        return part === "headers" && (name === undefined || Object.hasOwn(profile.headers, name));
    }
  });
}

/** With those that only the console has: without one of them, its callbacks might be rejected somewhere. */
function withOthers(declared: Readonly<Record<string, string>>, held: Readonly<Record<string, string>>): string {
  const names = new Set(Object.keys(declared).map((name) => name.toLowerCase()));
  const others = Object.entries(held).filter(([name]) => !names.has(name.toLowerCase()));
  return JSON.stringify({ ...Object.fromEntries(others), ...declared });
}
