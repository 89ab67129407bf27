// `profile push`: makes a profile that is in the console hold what the code declares.

import type { CallbackProfile } from "../../callback/template/profile.js";
import { fault } from "../failure.js";
import { verb } from "../verb.js";
import { differences, differingHeaderValues, type Difference } from "./compare.js";
import type { ConsoleProfile } from "./console-profile.js";
import { declared, DECLARED_OPTIONS } from "./declared.js";
import { assertWhich, CREDENTIALS_NOTE, PROVIDER_OPTIONS, ProviderApi, type Change } from "./provider-api.js";
import { count, ENCRYPTED, listed } from "./verify.js";

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
    "It changes the method, the endpoint, the template and the declared headers, only where they differ, and reads the profile back. " +
      "Headers that only the console has, encryption and the status are left to you: it exits with 1 while they differ.",
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
    const changes = Object.keys(change);
    const { id, title } = before;
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
    if (changes.length > 0) {
      output.note(listed(found));
      await api.change(id, change);
    }
    const left = changes.length > 0 ? compare(await api.read(id)) : found;
    const data = { id, title, changed: changes, differences: left };
    const done = changes.length > 0 ? `Changed: ${changes.join(", ")}.` : "There was nothing to change.";
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

/** Only what differs: the API leaves everything else as it is. */
function changeFor(profile: CallbackProfile, { headers }: ConsoleProfile, found: readonly Difference[]): Change {
  const differs = (...parts: ReadonlyArray<Difference["part"]>): boolean =>
    found.some(({ part }) => parts.includes(part));
  const isGet = profile.method === "GET";
  return {
    ...(differs("method") && { http_method: profile.method }),
    ...((isGet ? differs("endpoint", "template") : differs("endpoint")) && { url: profile.endpoint }),
    ...(profile.body !== undefined && differs("template") && { body: profile.body }),
    ...headersFor(profile, headers, found),
  };
}

/** With those that only the console has: without one of them, its callbacks might be rejected somewhere. */
function headersFor(
  { headers: declared }: CallbackProfile,
  held: ConsoleProfile["headers"],
  found: readonly Difference[],
): Change {
  const isOurs = ({ part, name }: Difference): boolean =>
    part === "headers" && name !== undefined && Object.hasOwn(declared, name);
  if (held === undefined || !found.some(isOurs)) return {};
  const names = new Set(Object.keys(declared).map((name) => name.toLowerCase()));
  const others = Object.entries(held).filter(([name]) => !names.has(name.toLowerCase()));
  return { headers: JSON.stringify({ ...Object.fromEntries(others), ...declared }) };
}
