// `simulator`: the page by itself, over a router that only shows what comes, or over an endpoint elsewhere.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { isRecord } from "../base/record.js";
import { HELP, OPT_IN, OPT_OUT, POSSIBLE_OPT_OUT } from "../keywords/patterns.js";
import { incomingSms, type IncomingSms } from "../router.js";
import { simulator as createSimulator } from "../simulator/index.js";
import { CREDENTIAL_OPTIONS, credentialsOf, withQuery } from "./credentials.js";
import { cannotListen, portOf } from "./port.js";
import { assertTarget, YES } from "./target.js";
import { verb } from "./verb.js";

const DEFAULT_PORT = 3001;
const PATH = "/sms";

/** Typed loosely: what is passed on is passed unchanged. */
const node: { emitWarning(warning: string | Error, ...rest: unknown[]): void } = process;

export const simulator = verb({
  name: "simulator",
  summary:
    "Opens a page on which you type SMS and see what becomes of them. " +
    "Without --target, it shows the events of a router of its own.",
  options: {
    target: { value: "URL", help: "Your endpoint. The page then shows its answers." },
    port: {
      value: "PORT",
      help: `Where the page listens, on this machine only. Default: ${DEFAULT_PORT}; 0: any free one.`,
    },
    ...CREDENTIAL_OPTIONS,
    yes: YES,
  },
  examples: [
    { line: "simulator", does: "a first event in one command" },
    {
      line: "simulator --target http://localhost:3000/sms --header X-Callback-Token=env:CALLBACK_TOKEN",
      does: "over your own app",
    },
  ],
  notes: ["It runs until it is interrupted. An app in this process is better served by express-kaleyra-sms/simulator."],
  run: async ({ options, output, signal }) => {
    const { target } = options;
    if (target !== undefined) assertTarget(target, "--target", options.yes);
    const { headers, query } = credentialsOf(options);
    const port = portOf(options.port, DEFAULT_PORT);
    const sms = target === undefined ? showingOnly() : undefined;
    const page = createSimulator(sms, {
      target: withQuery(target ?? PATH, query, ({ value }) => encodeURIComponent(value)),
      headers: Object.fromEntries(Object.entries(headers).map(([name, { value }]) => [name, value])),
      allowInProduction: true,
    });
    const server = createServer((req, res) => {
      if (sms === undefined) page(req, res);
      else sms(req, res, () => page(req, res));
    });
    await listen(server, port);
    const url = `http://localhost:${(server.address() as AddressInfo).port}/`;
    // Its query may hold a secret.
    const shown = target === undefined ? {} : { target: target.replace(/\?.*$/s, "") };
    output.event({ type: "listening", url, ...shown }, url);
    output.note(`Open it in a browser on this machine. Press Ctrl-C to end.`);
    await aborted(signal);
    page.close();
    server.closeAllConnections();
    server.close();
    await sms?.close();
    return undefined;
  },
});

/** A router whose events the page shows, and nothing else. */
function showingOnly(): IncomingSms {
  silenceWarnings();
  const quiet = (): void => undefined;
  const sms = incomingSms({ path: PATH, authenticate: false, logger: { warn: quiet, error: quiet } });
  return sms.on("message", quiet).keyword([OPT_OUT, POSSIBLE_OPT_OUT, OPT_IN, HELP], quiet);
}

/**
 * Until the process ends. A router warns of the options in an app's code: here is none, and what it warns of, such as a
 * text that is not escaped, is what the user has chosen on the page.
 */
function silenceWarnings(): void {
  const emitWarning = node.emitWarning.bind(process);
  node.emitWarning = (warning, ...rest) => {
    const [options] = rest;
    if (!isRecord(options) || options.type !== "KaleyraSmsWarning") emitWarning(warning, ...rest);
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (cause) {
    throw cannotListen(port, cause as NodeJS.ErrnoException);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
