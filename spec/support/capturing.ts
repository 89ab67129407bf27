// Runs `capture` and sends it callbacks: what it printed, and the router that its printed code makes.

import { createDecipheriv } from "node:crypto";
import { compileFunction } from "node:vm";
import { callbackProfile, incomingSms, type IncomingSms, type SmsMessage } from "express-kaleyra-sms";

import { ended as afterSpec } from "../inbox/temporary";
import { startCommand, type Ran } from "./command";
import type { Sent } from "./stand-in-provider";

interface Finding {
  readonly about: string;
  readonly state: string;
  readonly says: string;
}

export interface ConclusionEvent {
  readonly type: "conclusion";
  readonly isExact: boolean;
  readonly code: string;
  readonly findings: readonly Finding[];
  readonly learnt: Readonly<Record<string, unknown>>;
}

interface Listening {
  readonly port: number;
  readonly awkward: string;
  readonly lines: string;
}

export interface Capturing {
  readonly listening: Promise<Listening>;
  readonly ended: Promise<Ran>;
  /** Waits for what was printed on stdout or stderr. */
  readonly printed: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Interrupts it, and waits for its end. */
  readonly interrupt: () => Promise<Ran>;
}

/** Starts `capture --json` on any port. */
export function startCapture(args: readonly string[], env: Readonly<Record<string, string>> = {}): Capturing {
  const { child, ended, printed } = startCommand(["capture", "--port", "0", "--json", ...args], { env });
  afterSpec.push(() => child.kill("SIGKILL"));
  const listening = printed(/\{"type":"listening".*"\]\}/).then(([found]) => {
    const { url, texts } = JSON.parse(found) as { url: string; texts: [string, string] };
    return { port: Number(new URL(url).port), awkward: texts[0], lines: texts[1] };
  });
  // Whoever waits for it gets the rejection.
  listening.catch(() => undefined);
  const interrupt = async (): Promise<Ran> => {
    child.kill("SIGINT");
    return ended;
  };
  return { listening, ended, printed, interrupt };
}

/** The objects that were printed, without those around them. */
export function eventsOf({ stdout }: Ran): ReadonlyArray<Readonly<Record<string, unknown>>> {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { data?: Record<string, unknown> })
    .map(({ data = {} }) => data);
}

export function conclusionsOf(ran: Ran): ConclusionEvent[] {
  return eventsOf(ran).filter((one): one is ConclusionEvent & Record<string, unknown> => one.type === "conclusion");
}

/** What the findings say of something: `proven: In UTC+05:30`. */
export function saysOf({ findings }: ConclusionEvent, about: string): string[] {
  return findings.filter((one) => one.about === about).map(({ state, says }) => `${state}: ${says}`);
}

/** Makes the router by running the code that was printed. */
export function routerOf(code: string, env: Readonly<Record<string, string>> = {}): IncomingSms {
  const names = ["incomingSms", "callbackProfile", "createDecipheriv", "process", "Buffer"];
  const body = `${code.replaceAll(/^import .*$/gm, "")}\nreturn sms;`;
  const make = compileFunction(body, names) as (...given: unknown[]) => IncomingSms;
  const logger = { warn: () => undefined, error: () => undefined };
  const withoutCheck = (options: object): IncomingSms => incomingSms({ authenticate: false, logger, ...options });
  return make(withoutCheck, callbackProfile, createDecipheriv, { env }, Buffer);
}

/** Reads the bytes that were sent with the router that the code makes. */
export async function readBy(sms: IncomingSms, { method, path, headers, body }: Sent): Promise<SmsMessage | undefined> {
  sms.on("message", () => undefined).on("invalid", () => undefined);
  const query = path.slice(path.indexOf("?") + 1);
  const { message } = await sms.receive(
    method === "GET" ? { method, query } : { method, body, contentType: headers["Content-Type"] },
  );
  return message;
}
