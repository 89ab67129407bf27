// The provider's API for Callback Profiles: finds one, reads it, changes it. Nothing that it answers is printed.

import { isRecord } from "../../base/record.js";
import { fault, unreachable, wrongUse, type Failure } from "../failure.js";
import { isLoopback } from "../target.js";
import type { ValuesOf } from "../verb.js";
import { consoleProfile, type ConsoleProfile } from "./console-profile.js";

const REGIONS: Readonly<Record<string, string>> = {
  in: "https://api.in.kaleyra.io",
  sg: "https://api.kaleyra.io",
  eu: "https://api.eu.kaleyra.io",
  na: "https://api.na.kaleyra.ai",
};

/** Profiles on a page of the list, as many as by default, and the most pages that are read. */
const PAGE_SIZE = 25;
const MOST_PAGES = 400;
const DEFAULT_TIMEOUT_MS = 15_000;

export const PROVIDER_OPTIONS = {
  id: { value: "ID", help: "The Callback Profile ID, as the console shows it." },
  title: { value: "TITLE", help: "The title of the Callback Profile, in place of --id." },
  region: { value: "REGION", help: "in, sg, eu or na: where your account is." },
  api: { value: "URL", help: "Another address of the provider's API, in place of --region." },
  "timeout-ms": { value: "MS", help: `How long one answer may take. Default: ${DEFAULT_TIMEOUT_MS}.` },
} as const;

/** For the notes of each verb that calls the API. */
export const CREDENTIALS_NOTE =
  "The account comes from the environment: KALEYRA_SID and KALEYRA_API_KEY. " +
  "Values of headers and keys of the encryption are never printed.";

/** What may be changed of a profile, under the names of the API. */
export type Change = Readonly<Partial<Record<"http_method" | "url" | "body" | "headers", string>>>;

export class ProviderApi {
  readonly #profiles: string;
  readonly #host: string;
  readonly #key: string;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal;

  /** @throws Failure if the address or the account is missing or wrong */
  constructor({ region, api, "timeout-ms": timeout }: ValuesOf<typeof PROVIDER_OPTIONS>, signal: AbortSignal) {
    const base = addressOf(region, api);
    const sid = fromEnvironment("KALEYRA_SID");
    this.#profiles = `${base}/v1/${encodeURIComponent(sid)}/callback/profiles`;
    this.#host = new URL(base).host;
    this.#key = fromEnvironment("KALEYRA_API_KEY");
    if (timeout !== undefined && !/^[1-9]\d{0,6}$/.test(timeout))
      throw wrongUse("--timeout-ms takes a number of milliseconds.", "For instance --timeout-ms 30000.");
    this.#timeoutMs = timeout === undefined ? DEFAULT_TIMEOUT_MS : Number(timeout);
    this.#signal = signal;
  }

  /** @throws Failure if there is no such profile, or several have the title */
  async find({ id, title }: Readonly<Record<"id" | "title", string | undefined>>): Promise<ConsoleProfile> {
    if (id !== undefined) return this.read(id);
    const found = await this.#idsOf(title ?? "");
    const [first] = found;
    if (first === undefined)
      throw fault({
        code: "no-such-profile",
        message: "No Callback Profile has this title.",
        next: "Create it in the console (profile print says how), or give its --id: titles are compared exactly.",
      });
    if (found.size > 1)
      throw fault({
        code: "several-profiles",
        message: `${found.size} Callback Profiles have this title.`,
        next: `Give one of them by --id: ${[...found].join(", ")}.`,
      });
    return this.read(first);
  }

  async read(id: string): Promise<ConsoleProfile> {
    const profile = consoleProfile(await this.#call("GET", `/${encodeURIComponent(id)}`));
    if (profile === undefined) throw this.#notTheApi("It describes no profile.");
    return profile;
  }

  async change(id: string, change: Change): Promise<void> {
    await this.#call("PATCH", `/${encodeURIComponent(id)}`, change);
  }

  /** The ids of the profiles with exactly this title: the API may also find similar ones. */
  async #idsOf(title: string): Promise<Set<string>> {
    const found = new Set<string>();
    const seen = new Set<string>();
    for (let page = 0; page < MOST_PAGES; page++) {
      const query = new URLSearchParams({ limit: String(PAGE_SIZE), offset: String(seen.size), title });
      const before = seen.size;
      for (const { profile_id: id, title: its } of listIn(await this.#call("GET", `?${query.toString()}`))) {
        if (typeof id !== "string" || !/^[\w-]+$/.test(id)) continue;
        seen.add(id);
        if (its === title) found.add(id);
      }
      // A page may be shorter than asked for: the list ends at one that has nothing new.
      if (seen.size === before) break;
    }
    return found;
  }

  /** @returns the `data` of the answer */
  async #call(method: "GET" | "PATCH", path: string, content?: object): Promise<unknown> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const request: RequestInit = {
      method,
      // A redirect would take the key elsewhere.
      redirect: "manual",
      headers: { "api-key": this.#key, "Content-Type": "application/json", Accept: "application/json" },
      signal: AbortSignal.any([this.#signal, timeout]),
      ...(content && { body: JSON.stringify(content) }),
    };
    let status: number;
    let text: string;
    try {
      const response = await fetch(`${this.#profiles}${path}`, request);
      status = response.status;
      text = await response.text();
    } catch (cause) {
      this.#signal.throwIfAborted();
      throw timeout.aborted
        ? unreachable(
            `${this.#host} did not answer within ${this.#timeoutMs} ms.`,
            "Try again later, or give it more time: --timeout-ms.",
          )
        : unreachable(
            `${this.#host} cannot be reached (${codeOf(cause)}).`,
            "Look at the network, and at --region or --api.",
          );
    }
    const answer = answerIn(text);
    // The API repeats its status in the answer: it may differ from that of HTTP.
    const stated = answer === undefined ? undefined : answer.status;
    const effective = status < 300 && typeof stated === "number" && stated >= 400 ? stated : status;
    if (effective >= 200 && effective < 300 && answer !== undefined) return answer.data;
    throw this.#failureFor(effective, answer);
  }

  #failureFor(status: number, answer: Readonly<Record<string, unknown>> | undefined): Failure {
    const code = typeof answer?.code === "string" && /^[A-Z]{1,5}\d{1,5}$/.test(answer.code) ? `, ${answer.code}` : "";
    const answered = `${this.#host} answered ${status}${code}.`;
    if (status === 401 || status === 403)
      return wrongUse(
        answered,
        "The API key or the SID is wrong, or may not read Callback Profiles: look at KALEYRA_API_KEY, KALEYRA_SID and --region.",
        "not-authorized",
      );
    if (status >= 300 && status < 400)
      return unreachable(
        answered,
        "It redirects, and the key is not sent elsewhere: give the address itself as --api.",
      );
    if (status === 429) return unreachable(answered, "It has had too many requests: try again later.");
    if (status >= 500) return unreachable(answered, "The API failed: try again later.");
    if (answer === undefined) return this.#notTheApi(`It answered ${status}.`);
    if (status === 404)
      return fault({
        code: "no-such-profile",
        message: answered,
        next: "There is no Callback Profile with this id: look at --id and --region. profile push creates none.",
      });
    return fault({
      code: "not-accepted",
      message: answered,
      next: "Look up the code in the provider's documentation of the Callback Profile API.",
    });
  }

  #notTheApi(what: string): Failure {
    return unreachable(
      `${this.#host} does not answer as the provider's API does. ${what}`,
      "Look at --region or --api, and whether a proxy is in between.",
      "not-the-api",
    );
  }
}

/** @throws Failure unless exactly one of --id and --title is given */
export function assertWhich({ id, title }: Readonly<Record<"id" | "title", string | undefined>>): void {
  if ((id === undefined) === (title === undefined))
    throw wrongUse(
      "The provider's side of the profile is given by either --id or --title.",
      "The console shows both under Callback Profiles.",
    );
}

function addressOf(region: string | undefined, api: string | undefined): string {
  if ((region === undefined) === (api === undefined))
    throw wrongUse("The API is given by either --region or --api.", "For instance --region in.");
  if (region !== undefined) {
    const address = Object.hasOwn(REGIONS, region) ? REGIONS[region] : undefined;
    if (address !== undefined) return address;
    throw wrongUse(`--region takes ${Object.keys(REGIONS).join(", ")}.`, "Or give the address of the API: --api.");
  }
  const address = api ?? "";
  if (!/^https?:\/\/[^/?#@]+(?:\/[^?#]*)?$/i.test(address) || !URL.canParse(address))
    throw wrongUse("--api takes an absolute URL.", `For instance --api ${REGIONS.in ?? ""}.`);
  if (!/^https:/i.test(address) && !isLoopback(new URL(address).hostname))
    throw wrongUse("--api takes an https URL, unless it is on this machine.", "The API key would go in clear.");
  return address.replace(/\/+$/, "");
}

function fromEnvironment(name: "KALEYRA_SID" | "KALEYRA_API_KEY"): string {
  const value = process.env[name];
  if (value !== undefined && /^[!-~]+$/.test(value)) return value;
  throw wrongUse(
    value === undefined || value === "" ? `${name} is not set.` : `${name} has a character that it cannot have.`,
    "Set KALEYRA_SID and KALEYRA_API_KEY in the environment: the console has both under API settings.",
  );
}

function codeOf(cause: unknown): string {
  const inner = isRecord(cause) ? cause.cause : undefined;
  const code = isRecord(inner) ? inner.code : undefined;
  return typeof code === "string" ? code : "no answer";
}

function answerIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return isRecord(answer) ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** The list itself, or in an object: what stands around it is not documented. */
function listIn(data: unknown): Array<Readonly<Record<string, unknown>>> {
  const list: unknown = Array.isArray(data) ? data : isRecord(data) ? Object.values(data).find(Array.isArray) : [];
  return Array.isArray(list) ? list.filter(isRecord) : [];
}
