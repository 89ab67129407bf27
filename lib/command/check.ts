// `check`: sends good, awkward and hostile callbacks to the user's own endpoint, and says what the answers show.

import { Asked, type AskedLine } from "./check/asked.js";
import { Callbacks, ID_PREFIX, RECIPIENT, SOURCE } from "./check/callbacks.js";
import { Endpoint } from "./check/endpoint.js";
import { shownBy } from "./check/shown.js";
import { survey } from "./check/survey.js";
import { tableOf } from "./check/table.js";
import { CREDENTIAL_OPTIONS, credentialsOf, type Credentials } from "./credentials.js";
import { fault, unreachable, wrongUse } from "./failure.js";
import { profileIn } from "./module.js";
import type { Output } from "./output.js";
import { assertTarget, YES } from "./target.js";
import { verb, type Result } from "./verb.js";

export const check = verb({
  name: "check",
  summary:
    "Sends good, awkward and hostile callbacks to your running endpoint, and says what its answers show. " +
    "It exits with 1 if a line fails, and each such line says what to do.",
  operands: ["URL"],
  options: {
    ...CREDENTIAL_OPTIONS,
    profile: { value: "FILE", help: "A module that exports a callbackProfile(), as profile or default." },
    escaping: { value: "HOW", help: "json: the provider is known to escape, so that only valid JSON is sent." },
    yes: YES,
  },
  examples: [
    {
      line: "check http://localhost:3000/sms --header X-Callback-Token=env:CALLBACK_TOKEN",
      does: "all lines, with your secret and with wrong ones",
    },
    { line: "check http://localhost:3000/sms --json", does: "the same for a script, of an endpoint without a secret" },
  ],
  notes: [
    `Your app handles what it accepts. Each id begins with ${ID_PREFIX}, the source is ${SOURCE} and the recipient ` +
      `${RECIPIENT}, which are nobody's numbers: recognize and delete such messages by them. ` +
      "A text begins with express-kaleyra-sms, which is no keyword, or is empty.",
    "The endpoint may be one of this package or any other. A line holds, fails or is not proven: " +
      "an answer 200 shows that a callback was accepted, and not that its text was read exactly.",
    "Warnings that your router prints meanwhile are about what check sends. " +
      "Restart the app afterwards, since each is printed once.",
    "It takes a few seconds. A body that never ends adds as long as your endpoint waits for it, at most 12 seconds.",
  ],
  run: async ({ operands: [url = ""], options, output, signal }) => {
    assertTarget(url, "URL", options.yes);
    if (url.includes("?")) throw wrongUse("URL has a query.", "Give its variables as --query NAME=VALUE.");
    if (options.escaping !== undefined && options.escaping !== "json")
      throw wrongUse("--escaping takes json.", "Leave it out unless your provider is known to escape.");
    const profile = options.profile === undefined ? undefined : await profileIn(options.profile);
    const credentials = withHeadersOf(profile?.headers ?? {}, credentialsOf(options));
    const endpoint = new Endpoint({ url, shown: shownBy(credentials), signal });
    const callbacks = new Callbacks(profile);
    const code = await endpoint.whyUnreachable();
    if (code !== undefined)
      throw unreachable(
        `${new URL(url).host} cannot be reached (${code}).`,
        code === "ECONNREFUSED"
          ? "Start the app that listens there, or name another endpoint."
          : "Look at the endpoint's address, and at what is in front of it.",
      );
    const asked = new Asked(endpoint, (name) => output.progress(name));
    try {
      await survey(endpoint, asked, { callbacks, escapes: options.escaping === "json" });
    } catch (cause) {
      // What the answers before have shown is still said, and how to find what was sent.
      if (!signal.aborted) throw cause;
    } finally {
      output.progress(undefined);
    }
    return result(asked.lines, callbacks, output);
  },
});

/** The headers of a profile are what the provider shows. One that is given on the command line wins. */
function withHeadersOf(ofProfile: Readonly<Record<string, string>>, { headers, query }: Credentials): Credentials {
  const given = Object.keys(headers).map((name) => name.toLowerCase());
  const others = Object.entries(ofProfile).filter(([name]) => !given.includes(name.toLowerCase()));
  const secrets = others.map(
    ([name, value]) => [name, { value, shown: "(from the profile)", shell: "", inUrl: "" }] as const,
  );
  return { headers: { ...Object.fromEntries(secrets), ...headers }, query };
}

function result(lines: readonly AskedLine[], callbacks: Callbacks, output: Output): Result {
  const count = (of: AskedLine["result"]): number => lines.filter(({ result }) => result === of).length;
  const [holds, fails, notProven] = [count("holds"), count("fails"), count("not proven")];
  const totals = `${holds} hold, ${fails} ${fails === 1 ? "fails" : "fail"}, ${notProven} are not proven.`;
  return {
    data: { holds, fails, notProven, idPrefix: callbacks.idPrefix, source: SOURCE, lines },
    text: `${tableOf(lines, output)}\n\n${totals}\nIds begin with ${callbacks.idPrefix}, the source is ${SOURCE}.`,
    failure:
      fails === 0
        ? undefined
        : fault({
            code: "check-failed",
            message: `${fails} of ${lines.length} lines ${fails === 1 ? "fails" : "fail"}.`,
            next:
              holds === 0
                ? "The other lines need an endpoint that accepts a callback: nothing more was sent."
                : "Each says what to do. Then run check again.",
          }),
  };
}
