// A profile as the provider's API describes it: the few properties that are compared. Keys of the encryption are not
// kept, and values of headers are never printed.

import { isRecord } from "../../base/record.js";

export interface ConsoleProfile {
  readonly id: string;
  readonly title: string;
  /** In capitals. The console knows PUT and DELETE too. */
  readonly method: string;
  readonly url: string;
  readonly body: string;
  /** `undefined` if they cannot be read. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly isEncrypted: boolean;
  readonly status: "active" | "auto-disabled" | "disabled" | "unknown";
}

const STATUSES: Readonly<Record<string, ConsoleProfile["status"]>> = {
  1: "active",
  2: "auto-disabled",
  3: "disabled",
};

/** @returns `undefined` if it is not the description of a profile */
export function consoleProfile(described: unknown): ConsoleProfile | undefined {
  if (!isRecord(described)) return undefined;
  const { profile_id: id, title, http_method: method, url, body, headers, enc, status } = described;
  if (typeof id !== "string" || typeof method !== "string" || typeof url !== "string") return undefined;
  return {
    id,
    title: typeof title === "string" ? title : "",
    method: method.toUpperCase(),
    url,
    body: typeof body === "string" ? body : isRecord(body) ? JSON.stringify(body) : "",
    headers: headersOf(headers),
    isEncrypted: isOn(enc),
    status: STATUSES[String(status)] ?? "unknown",
  };
}

/** The API gives them as a JSON text. */
function headersOf(given: unknown): ConsoleProfile["headers"] {
  if (given === undefined || given === null || given === "") return {};
  const headers = typeof given === "string" ? parsed(given) : given;
  if (!isRecord(headers)) return undefined;
  const named = Object.entries(headers);
  const texts = named.filter((one): one is [string, string] => typeof one[1] === "string");
  return texts.length === named.length ? Object.fromEntries(texts) : undefined;
}

/** An object, or a JSON text as for headers. What cannot be read is no proof that it is off. */
function isOn(given: unknown): boolean {
  const enc = typeof given === "string" && given !== "" ? (parsed(given) ?? given) : given;
  if (isRecord(enc)) return Object.values(enc).some((value) => value !== null && value !== "");
  return enc !== undefined && enc !== null && enc !== "" && enc !== false;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
