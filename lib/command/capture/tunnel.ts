// Tests a tunnel: sends awkward requests through the public address, and compares what arrives byte by byte. A relay
// that rewrites bodies destroys what shows whether the provider escapes.

import { randomUUID } from "node:crypto";

import { queryOf } from "../../provider/as-callback.js";
import { sendExactly, type ExactRequest } from "../../provider/request.js";
import { fault, unreachable, type Failure } from "../failure.js";
import type { CapturedRequest } from "./listen.js";

const HEADER = "X-Capture-Test";
const JSON_TYPE = "application/json";

/** A relay may answer before it passes a request on. In milliseconds. */
const ARRIVAL_MS = 10_000;

interface Probe {
  readonly what: string;
  readonly method: "GET" | "POST";
  readonly query: string;
  readonly body?: Buffer;
  readonly contentType?: string;
}

/** A form as providers write it, and as a program would not write it anew. */
const FORM = "message=k7+%22a%22%20%5cb%26&empty&twice=1&twice=%c3%89&raw=\u00e9'";

/** What relays change: JSON that a program would write otherwise, a body that is no JSON, and a query. */
function probesOf(id: string): Probe[] {
  const json = `{\r\n  "test": "${id}" , "message":"\\u00e9 \\"a\\" \\\\b \\/ é 😀",\r\n\t"n": 1.0, "n": 12345678901234567890}\n`;
  const broken = `{\n"test": "${id}",\n"message": "k7 "a" \\b {c} é 😀\\"\n}`;
  return [
    { what: "JSON", method: "POST", query: `test=${id}`, body: Buffer.from(json), contentType: JSON_TYPE },
    {
      what: "a body that is no JSON",
      method: "POST",
      query: `test=${id}`,
      // Half an emoji, as some gateways send it.
      body: Buffer.concat([Buffer.from(broken), Buffer.from([0xed, 0xa0, 0xbd])]),
      contentType: JSON_TYPE,
    },
    {
      what: "a form",
      method: "POST",
      query: `test=${id}`,
      body: Buffer.from(`test=${id}&${FORM}`),
      contentType: "application/x-www-form-urlencoded",
    },
    { what: "a query", method: "GET", query: `test=${id}&parts[1]=a+b%20c&parts%5B2%5D=%22%5cb%22&x=%C3%a9&&y` },
  ];
}

export class TunnelTest {
  readonly #id = randomUUID();
  #arrived: ((request: CapturedRequest) => void) | undefined;
  #sent = 0;
  #came = 0;

  /** Whether more requests came than were sent: the tunnel delivers some twice. */
  get isRepeating(): boolean {
    return this.#came > this.#sent;
  }

  /** Whether a request is one of the test's: it is then no callback. */
  claims(request: CapturedRequest): boolean {
    const { url, rawHeaders, body } = request;
    const isOwn = url.includes(this.#id) || rawHeaders.includes(this.#id) || body.includes(this.#id);
    if (!isOwn) return false;
    this.#came += 1;
    this.#arrived?.(request);
    return true;
  }

  /** @returns what the tunnel changes; empty if it passes every byte. @throws Failure if nothing arrives */
  async run(address: string, signal: AbortSignal): Promise<readonly string[]> {
    const changes: string[] = [];
    for (const probe of probesOf(this.#id)) {
      const { method, query, body, what, contentType } = probe;
      this.#sent += 1;
      const arrival = this.#nextArrival(signal);
      const request: ExactRequest = {
        method,
        url: `${address}${address.includes("?") ? "&" : "?"}${query}`,
        headers: { [HEADER]: this.#id, ...(contentType !== undefined && { "Content-Type": contentType }) },
        body,
      };
      const status = await this.#send(request, signal);
      const arrived = await arrival;
      signal.throwIfAborted();
      if (arrived === undefined) {
        // Some other request must have come through: then only this one is lost.
        if (changes.length === 0 && what === "JSON") throw notHere(status);
        changes.push(`${what} does not arrive`);
        continue;
      }
      changes.push(...changesOf(probe, arrived, this.#id));
    }
    // One that came twice is compared with the next one.
    return this.isRepeating ? ["it delivers requests twice"] : [...new Set(changes)];
  }

  async #send(request: ExactRequest, signal: AbortSignal): Promise<number> {
    try {
      return (await sendExactly(request, signal)).status;
    } catch (cause) {
      signal.throwIfAborted();
      const { code = "no answer" } = cause as NodeJS.ErrnoException;
      throw unreachable(
        `The tunnel cannot be reached (${code}).`,
        "Start it, and give its public address as --tunnel.",
      );
    }
  }

  #nextArrival(signal: AbortSignal): Promise<CapturedRequest | undefined> {
    return new Promise((resolve) => {
      const done = (request?: CapturedRequest): void => {
        this.#arrived = undefined;
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
        resolve(request);
      };
      const stop = (): void => done();
      const timer = setTimeout(stop, ARRIVAL_MS);
      signal.addEventListener("abort", stop);
      this.#arrived = done;
    });
  }
}

function changesOf({ what, method, query, body }: Probe, arrived: CapturedRequest, id: string): string[] {
  const changes: string[] = [];
  if (arrived.method !== method)
    changes.push(`${method} arrives as ${arrived.method === "GET" ? "GET" : "another method"}`);
  if (queryOf(arrived.url) !== query && !queryOf(arrived.url).endsWith(`&${query}`))
    changes.push(queryOf(arrived.url) === "" ? "the query is lost" : "the query is written anew");
  if (!arrived.rawHeaders.includes(id)) changes.push("headers are lost");
  if (body !== undefined && !arrived.body.equals(body))
    changes.push(`${what} is changed: ${changeOf(body, arrived.body)}`);
  return changes;
}

function changeOf(sent: Buffer, came: Buffer): string {
  if (came.length === 0) return "it is empty";
  if (came.equals(Buffer.from(sent.toString("latin1").replaceAll("\\", ""), "latin1")))
    return "backslashes are dropped";
  return `${sent.length} bytes were sent, and ${came.length} others came`;
}

function notHere(status: number): Failure {
  return fault({
    code: "tunnel-elsewhere",
    message: `The public address answers ${status}, and nothing arrives here.`,
    next: "Point the tunnel at the address that capture listens on.",
  });
}

/** The failure for a tunnel that changes what it passes on. */
export function rewrites(changes: readonly string[]): Failure {
  return fault({
    code: "tunnel-rewrites",
    message: `The tunnel does not pass requests on as they are: ${changes.join("; ")}.`,
    next: "Use another tunnel: what comes through this one shows nothing about the provider.",
  });
}
