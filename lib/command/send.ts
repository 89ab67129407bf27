// `send`: sends what the provider would send, or shows it.

import type { ExactAnswer } from "../provider/request.js";
import { writtenOut } from "../provider/request.js";
import { CREDENTIAL_OPTIONS } from "./credentials.js";
import { fault, wrongUse, type Failure } from "./failure.js";
import type { Output } from "./output.js";
import { printableLines } from "./printable.js";
import { outgoing, type Outgoing } from "./send/outgoing.js";
import { recorded } from "./send/recorded.js";
import { problemCodeOf } from "./problem.js";
import { assertTarget, call, DEFAULT_TARGET, YES } from "./target.js";
import { verb, type Result } from "./verb.js";

/** How many requests are under way at once, if there are several. */
const AT_ONCE = 16;

export const send = verb({
  name: "send",
  summary:
    "Sends a text as the provider would, to your endpoint. It prints the answer, and exits with 1 if it is not 2xx.",
  operands: ["[TEXT]"],
  options: {
    url: { value: "URL", help: `The endpoint. Default: ${DEFAULT_TARGET}.` },
    keyword: { value: "WORD", help: "The keyword configured in the console. Default: none." },
    source: { value: "NUMBER", help: "The subscriber's number." },
    recipient: { value: "NUMBER", help: "The business number." },
    method: { value: "METHOD", help: "GET or POST. Default: that of the profile, or POST." },
    escaping: { value: "HOW", help: "json or none: how the text gets into the body. Default: json." },
    profile: {
      value: "FILE",
      help: "A module that exports a callbackProfile(), as profile or default. Its endpoint is not called: --url is.",
    },
    ...CREDENTIAL_OPTIONS,
    from: { value: "FIXTURE", help: "Sends a callback that capture saved, in place of TEXT." },
    set: { value: "FIELD=VALUE", multiple: true, help: "Changes a field of what is sent." },
    count: {
      value: "N",
      help: "Sends N callbacks, each with an id of its own, and prints totals. A recorded one keeps its id.",
    },
    show: { help: "Prints the exact request, and sends nothing." },
    curl: { help: "Prints the request as a curl command, and sends nothing." },
    yes: YES,
  },
  examples: [
    { line: 'send "STOP" --header X-Callback-Token=env:CALLBACK_TOKEN', does: "one SMS to http://localhost:3000/sms" },
    { line: `send 'say "hi"' --escaping none --curl`, does: "the command for a text that the provider did not escape" },
  ],
  run: async ({ operands: [text], options, output, signal }) => {
    const url = assertTarget(options.url ?? DEFAULT_TARGET, "--url", options.yes || options.show || options.curl);
    const count = countOf(options.count);
    if ((text === undefined) === (options.from === undefined))
      throw wrongUse("send takes either TEXT or --from FIXTURE.", 'For instance: express-kaleyra-sms send "STOP"');
    const next =
      options.from === undefined
        ? await outgoing(text ?? "", url, options)
        : recorded(options.from, options.url === undefined ? undefined : url, options);
    if (options.show || options.curl) return shown(next(), options.curl, output);
    return count === undefined ? one(next(), signal) : many(next, count, output, signal);
  },
});

function countOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(given))
    throw wrongUse("--count takes a whole number from 1 to 9999999.", "For instance --count 100.");
  return Number(given);
}

function shown({ shownRequest, curl }: Outgoing, isCurl: boolean, { isTerminal }: Output): Result {
  const exact = isCurl ? curl() : writtenOut(shownRequest);
  const text = isTerminal ? printableLines(exact) : exact;
  return { data: isCurl ? { curl: text } : { request: text }, text };
}

async function one({ request, hide }: Outgoing, signal: AbortSignal): Promise<Result> {
  const answer = await call(request, signal);
  const { status, durationMs } = answer;
  const body = hide(answer.body);
  return {
    data: { status, body, durationMs: Math.round(durationMs) },
    text: [`${status} in ${Math.round(durationMs)} ms`, ...(body === "" ? [] : [printableLines(body)])].join("\n"),
    failure: isAccepted(answer) ? undefined : notAccepted(answer),
  };
}

async function many(next: () => Outgoing, count: number, output: Output, signal: AbortSignal): Promise<Result> {
  const statuses = new Map<number, number>();
  const durations: number[] = [];
  let sent = 0;
  let refused: ExactAnswer | undefined;
  const started = performance.now();
  const sendNext = async (): Promise<void> => {
    while (sent < count && !signal.aborted) {
      sent += 1;
      const answer = await call(next().request, signal).catch((cause: unknown) => {
        // What was sent before is still said.
        if (!signal.aborted) throw cause;
      });
      if (answer === undefined) return;
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      durations.push(answer.durationMs);
      if (!isAccepted(answer)) refused ??= answer;
      output.progress(bar(durations.length, count, output.columns));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, sendNext));
  } finally {
    output.progress(undefined);
  }
  const seconds = (performance.now() - started) / 1_000;
  durations.sort((a, b) => a - b);
  const median = durations[Math.floor(durations.length / 2)] ?? 0;
  const totals = Object.fromEntries([...statuses].sort(([a], [b]) => a - b));
  return {
    data: { sent: durations.length, statuses: totals, medianMs: median, longestMs: durations.at(-1) ?? 0, seconds },
    text:
      `${durations.length} sent in ${seconds.toFixed(1)} s: ` +
      Object.entries(totals)
        .map(([status, times]) => `${times} times ${status}`)
        .join(", ") +
      `. Median ${median.toFixed(1)} ms, longest ${(durations.at(-1) ?? 0).toFixed(1)} ms.`,
    failure: refused && notAccepted(refused),
  };
}

function bar(done: number, of: number, columns: number): string {
  const count = ` ${done}/${of}`;
  const width = Math.max(0, Math.min(40, columns - count.length - 3));
  const full = Math.round((done / of) * width);
  return `[${"#".repeat(full)}${" ".repeat(width - full)}]${count}`;
}

function isAccepted({ status }: ExactAnswer): boolean {
  return status >= 200 && status < 300;
}

function notAccepted({ status, headers, body }: ExactAnswer): Failure {
  const code = problemCodeOf(body);
  return fault({
    code: "not-accepted",
    message: `The endpoint answered ${status}${code === undefined ? "" : `, ${code}`}.`,
    next:
      status === 401 || status === 403
        ? "Show what options.authenticate demands: --header, --query, --basic or --bearer."
        : status === 404
          ? "Look at the path: --url takes the address at which the router is mounted."
          : status >= 300 && status < 400
            ? `It redirects${headers.location === undefined ? "" : " elsewhere"}: give the endpoint itself as --url.`
            : status >= 500
              ? "Look at the log of your app."
              : "The answer says what is wrong.",
  });
}
