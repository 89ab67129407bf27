// The provider's API for Callback Profiles: finds one, reads it, changes it. Nothing that it answers is printed.

import { isRecord } from "../../base/record.js";
import { fault, unreachable, wrongUse, type Failure } from "../failure.js";
import type { ValuesOf } from "../verb.js";
import { addressOf, fromEnvironment, isId, type PROVIDER_OPTIONS } from "./account.js";
import { answerOf, boundedText, NO_STATUS, statedStatus, TooLong } from "./api-answer.js";
import { consoleProfile, type ConsoleProfile } from "./console-profile.js";

/** Profiles on a page of the list, as many as by default, and the most pages that are read. */
const PAGE_SIZE = 25;
const MOST_PAGES = 400;
/** How long one answer may take. */
const TIMEOUT_MS = 15_000;

/** What may be changed of a profile, under the names of the API. */
export type Change = Readonly<Partial<Record<"http_method" | "url" | "body" | "headers", string>>>;

export class ProviderApi {
  readonly #profiles: string;
  readonly #host: string;
  readonly #key: string;
  readonly #signal: AbortSignal;

  /** @throws Failure if the address or the account is missing or wrong */
  constructor({ region, api }: ValuesOf<typeof PROVIDER_OPTIONS>, signal: AbortSignal) {
    const base = addressOf(region, api);
    const sid = fromEnvironment("KALEYRA_SID");
    this.#profiles = `${base}/v1/${encodeURIComponent(sid)}/callback/profiles`;
    this.#host = new URL(base).host;
    this.#key = fromEnvironment("KALEYRA_API_KEY");
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
    const profile = await this.read(first);
    if (profile.title !== title) throw this.#anotherProfile("title");
    return profile;
  }

  /** @throws Failure unless the API answers with this very profile: what is read decides what is changed */
  async read(id: string): Promise<ConsoleProfile> {
    const profile = consoleProfile(await this.#call("GET", `/${encodeURIComponent(id)}`));
    if (profile === undefined) throw this.#notTheApi("It describes no profile.");
    if (profile.id !== id) throw this.#anotherProfile("id");
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
        if (typeof id !== "string" || !isId(id)) continue;
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
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
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
      text = await boundedText(response);
    } catch (cause) {
      this.#signal.throwIfAborted();
      throw timeout.aborted
        ? unreachable(`${this.#host} did not answer within ${TIMEOUT_MS / 1_000} seconds.`, "Try again later.")
        : this.#failureToReach(cause);
    }
    const answer = answerOf(text);
    // The API repeats its status in the answer: it may differ from that of HTTP.
    const effective = status < 300 ? (statedStatus(answer) ?? status) : status;
    if (effective >= 200 && effective < 300 && answer !== undefined) return answer.data;
    throw this.#failureFor(effective, answer);
  }

  #failureToReach(cause: unknown): Failure {
    if (cause instanceof TooLong)
      return unreachable(
        `${this.#host} answered with more than 1 MB: the answer was not read.`,
        "Look at --region or --api, and whether a proxy is in between.",
        "answer-too-long",
      );
    const { code, message } = causeOf(cause);
    if (message === "bad port")
      return wrongUse(
        `${this.#host} has a port that Node.js never calls.`,
        "Give another port: the Fetch standard blocks this one.",
      );
    return unreachable(
      `${this.#host} cannot be reached (${code ?? "no answer"}).`,
      "Look at the network, and at --region or --api.",
    );
  }

  #failureFor(status: number, answer: Readonly<Record<string, unknown>> | undefined): Failure {
    const code = typeof answer?.code === "string" && /^[A-Z]{1,5}\d{1,5}$/.test(answer.code) ? `, ${answer.code}` : "";
    const answered =
      status === NO_STATUS
        ? `${this.#host} answered with an error${code}.`
        : `${this.#host} answered ${status}${code}.`;
    if (status === 401 || status === 403)
      return wrongUse(
        answered,
        "The API key or the SID is wrong, or may not read Callback Profiles: " +
          "look at KALEYRA_API_KEY, KALEYRA_SID and --region.",
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

  #anotherProfile(what: "id" | "title"): Failure {
    return fault({
      code: "another-profile",
      message: `${this.#host} answered with a profile of another ${what} than the one asked for.`,
      next: "Look at the profile in the console, and at what is between this machine and the API.",
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

/** `fetch` gives the reason as the cause of what it throws. */
function causeOf(thrown: unknown): Readonly<Record<"code" | "message", string | undefined>> {
  const inner = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : undefined;
  const code = inner !== undefined && "code" in inner && typeof inner.code === "string" ? inner.code : undefined;
  return { code, message: inner?.message };
}

/** The list itself, or in an object: what stands around it is not documented. */
function listIn(data: unknown): Array<Readonly<Record<string, unknown>>> {
  const list: unknown = Array.isArray(data) ? data : isRecord(data) ? Object.values(data).find(Array.isArray) : [];
  return Array.isArray(list) ? list.filter(isRecord) : [];
}
