// `capture`: listens for callbacks, and says what they show of the provider.

import { now } from "../base/clock.js";
import { askedWith, newNonce } from "./capture/asked-text.js";
import type { Conclusion } from "./capture/conclusion.js";
import { keysOf } from "./capture/encryption.js";
import { openFolder } from "./capture/folder.js";
import { listen } from "./capture/listen.js";
import { NOTHING_CAME, openingText } from "./capture/report.js";
import { Session } from "./capture/session.js";
import { rewrites, TunnelTest } from "./capture/tunnel.js";
import { fault } from "./failure.js";
import { portOf } from "./port.js";
import { assertTarget, YES } from "./target.js";
import { verb, type Result } from "./verb.js";

const DEFAULT_PORT = 3000;
const MINUTE_MS = 60_000;

export const capture = verb({
  name: "capture",
  summary:
    "Listens for callbacks, and asks for an awkward text from a phone. " +
    "It prints the options of incomingSms that fit, and says what is proven and what is not.",
  options: {
    port: { value: "PORT", help: `The port on 127.0.0.1. 0: any. Default: ${DEFAULT_PORT}.` },
    tunnel: {
      value: "URL",
      help: "The public address of your tunnel. It is tested first: exits with 1 if it changes a byte.",
    },
    forward: { value: "URL", help: "Passes callbacks on to this endpoint, and answers as it does." },
    save: { value: "FOLDER", help: "Keeps each callback in a file of its own. The next run goes on from there." },
    key: { value: "KEY", secret: true, help: "The key, if the profile has encryption switched on." },
    iv: { value: "IV", secret: true, help: "The initialization vector, if the console shows one." },
    once: {
      help: "Ends when the text with the backslash has come: with 0 if the options read it exactly, otherwise with 1.",
    },
    yes: { ...YES, help: "Passes callbacks on though the endpoint of --forward is not on this machine." },
  },
  examples: [
    { line: "capture --save callbacks", does: "listens on port 3000, and keeps what comes in the folder callbacks" },
    {
      line: "capture --tunnel https://name.example --forward http://localhost:3001/sms",
      does: "tests the tunnel, and passes callbacks on to an app",
    },
  ],
  notes: [
    "No tunnel comes with it: use one of yours. It must pass requests on as they are, which --tunnel tests.",
    "A text decides about escaping only if its backslash and its quotes arrive. " +
      "Any other text decides nothing, and it says so.",
    "A file of --save has the method, the query, the headers and the exact bytes. " +
      "send --from sends it, and fixture of express-kaleyra-sms/testing reads it. " +
      "Not kept are what may be secrets: values of most headers, those of variables in the query that are not " +
      "fields of a callback, and a path other than / and /sms. " +
      "The body holds the number and what the subscriber typed: keep the folder private.",
    "The provider's page does not say how encrypted values are laid out. " +
      "With --key, the usual layouts of AES in GCM and CFB mode are tried. " +
      "The printed decrypt uses the one that gave back the text.",
  ],
  run: async ({ options, output, signal }) => {
    const port = portOf(options.port, DEFAULT_PORT);
    const forward = options.forward && assertTarget(options.forward, "--forward", options.yes);
    const address = options.tunnel && assertTarget(options.tunnel, "--tunnel", true);
    const keys = keysOf(options.key, options.iv);
    const folder = options.save === undefined ? undefined : openFolder(options.save);
    const asked = askedWith(folder?.nonce ?? newNonce());
    const tunnel = new TunnelTest();
    let tunnelTestedAt: string | undefined;

    const { promise, end, fail } = ending();
    const session = new Session({
      asked,
      keys,
      tunnelTestedAt: () => (tunnel.isRepeating ? undefined : tunnelTestedAt),
      folder,
      forward,
      tunnel,
      output,
      signal,
      concluded: (conclusion, isLast) => {
        if (options.once && isLast) end(resultOf(conclusion));
      },
      failed: fail,
    });
    const listener = await listen(port, {
      reply: (request) => session.reply(request),
      unreadable: (why) => output.note(why),
    });
    const stop = (): void => end(undefined);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    const reminder = setTimeout(() => {
      if (!session.hasCome) output.note(NOTHING_CAME);
    }, MINUTE_MS);
    try {
      const url = `http://127.0.0.1:${listener.port}`;
      if (output.isJson) output.event({ type: "listening", url, texts: [asked.awkward, asked.lines] }, "");
      else output.note(openingText({ address: url, asked, folder: options.save, forward }));
      if ((folder?.unreadable ?? 0) > 0)
        output.note(`Files of the folder that cannot be read: ${folder?.unreadable ?? 0}.`);
      if (address !== undefined) {
        const changes = await tunnel.run(address, signal);
        if (changes.length > 0) throw rewrites(changes);
        tunnelTestedAt = now();
        output.event({ type: "tunnel", passes: true }, "The tunnel passes every byte.");
      }
      await session.concludeEarlier();
      return await promise;
    } finally {
      clearTimeout(reminder);
      signal.removeEventListener("abort", stop);
      await listener.close();
    }
  },
});

/** A promise of the result, which is settled from outside. */
function ending(): {
  readonly promise: Promise<Result | undefined>;
  readonly end: (result: Result | undefined) => void;
  readonly fail: (cause: unknown) => void;
} {
  let end: (result: Result | undefined) => void = () => undefined;
  let fail: (cause: unknown) => void = () => undefined;
  const promise = new Promise<Result | undefined>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  // It may fail before it is awaited.
  promise.catch(() => undefined);
  return { promise, end, fail };
}

/** The last line under `--once`: the conclusion itself is printed before. */
function resultOf({ isExact, learnt }: Conclusion): Result {
  return {
    data: { type: "end", isExact, learnt },
    text: isExact ? "The options read the text exactly." : "The options do not read the text exactly.",
    failure: isExact
      ? undefined
      : fault({
          code: "not-exact",
          message: "The text did not come out as it was asked for.",
          next: "Look at the lines that are to do, or not proven.",
        }),
  };
}
