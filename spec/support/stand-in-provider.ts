// A stand-in of the provider: sends a text by the template in its console, in whatever way a provider may.

import { randomUUID } from "node:crypto";
import { request } from "node:http";

export interface Console {
  readonly method: "GET" | "POST";
  /** The request body, or under GET the query, with `<variables>`. */
  readonly template: string;
  /** Default: `application/json`. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Appended to the endpoint. */
  readonly query?: string;
  /** What takes the place of a variable. Default: the value itself, not escaped. */
  readonly insert?: (value: string, name: string) => string;
  readonly source?: string;
  readonly timestamp?: string;
}

/** A request as it leaves the provider. */
export interface Sent {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** What was inserted for each variable, before it was escaped. */
  readonly values: Readonly<Record<string, string>>;
}

/** The template on the provider's page. */
export const PRINTED = `{
  "source": "<source>",
  "recipient": "<recipient>",
  "description": "<description>",
  "status": "<status>",
  "status_trace": "<status_trace>",
  "id": "<id>",
  "kid": "<kid>",
  "message": "<message>",
  "keyword": "<keyword>",
  "operator": "<operator>",
  "circle": "<circle>",
  "timestamp": "<timestamp>"
}`;

export const escaped = (value: string): string => JSON.stringify(value).slice(1, -1);
export const percent = (value: string): string => encodeURIComponent(value);

/** The time of now in a zone that is some minutes from UTC, as the provider writes it. */
export function writtenIn(minutesFromUtc: number): string {
  return new Date(Date.now() + minutesFromUtc * 60_000).toISOString().slice(0, 19).replace("T", " ");
}

function unchanged(value: string): string {
  return value;
}

export function rendered(text: string, console: Console): Sent {
  const { method, template, insert = unchanged, query = "" } = console;
  const values: Record<string, string> = {
    source: console.source ?? "919876500001",
    recipient: "919812345678",
    description: "Message has been sent",
    status: "SENT",
    status_trace: "SENT",
    id: randomUUID(),
    kid: randomUUID(),
    message: text,
    keyword: "",
    operator: "JIO",
    circle: "JIO ASSAM",
    timestamp: console.timestamp ?? writtenIn(330),
    "parts[n]": text.split(" ")[1] ?? "",
    ...Object.fromEntries(text.split(/\s+/).map((word, index) => [`parts[${index + 1}]`, word])),
  };
  const filled = template.replaceAll(/<([\w[\]]+)>/g, (_all: string, name: string) => insert(values[name] ?? "", name));
  const isGet = method === "GET";
  const search = [query, ...(isGet ? [filled] : [])].filter((one) => one !== "").join("&");
  return {
    method,
    path: `/sms${search === "" ? "" : `?${search}`}`,
    headers: { ...(isGet ? {} : { "Content-Type": console.contentType ?? "application/json" }), ...console.headers },
    body: Buffer.from(isGet ? "" : filled),
    values,
  };
}

/** @returns the status of the answer, and its body */
export async function sendTo(port: number, { method, path, headers, body }: Sent): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (more: string) => void (text += more));
      answer.on("end", () => resolve([answer.statusCode ?? 0, text]));
    });
    outgoing.on("error", reject);
    outgoing.end(method === "GET" ? undefined : body);
  });
}
