// A callback in a file: method, target, headers and exact bytes. `capture` writes it, `fixture` and `send` read it.

import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";

import { invalidArgument } from "../base/errors.js";
import { isRecord } from "../base/record.js";

export interface SavedCallback {
  readonly method: "GET" | "POST";
  /** The target of the request, with its query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As it came. Empty under GET. */
  readonly body: Uint8Array;
  /** The time of arrival, ISO 8601 in UTC. */
  readonly receivedAt?: string | undefined;
}

/** @throws TypeError if the file cannot be read, or is not a saved callback */
export function readSaved(file: string, reader: string): SavedCallback {
  try {
    const saved: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (isSaved(saved)) return { ...saved, body: Buffer.from(saved.body, "base64") };
  } catch (cause) {
    if (isRecord(cause) && cause.code === "ENOENT") throw invalidArgument(`There is no file ${file}.`, { cause });
    throw notSaved(file, reader, cause);
  }
  throw notSaved(file, reader);
}

/** @throws Error if the file exists, or cannot be written: then there is none, for instance on a full disk */
export function writeSaved(file: string, { method, url, headers, body, receivedAt }: SavedCallback): void {
  const saved: InFile = { method, url, headers, body: Buffer.from(body).toString("base64"), receivedAt };
  const opened = openSync(file, "wx", 0o600);
  try {
    writeFileSync(opened, `${JSON.stringify(saved, undefined, 2)}\n`);
  } catch (cause) {
    rmSync(file, { force: true });
    throw cause;
  } finally {
    closeSync(opened);
  }
}

type InFile = Omit<SavedCallback, "body"> & { readonly body: string };

const BASE64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{2,3}={0,2})?$/;

function isSaved(value: unknown): value is InFile {
  if (!isRecord(value)) return false;
  const { method, url, headers, body, receivedAt } = value;
  return (
    (receivedAt === undefined || typeof receivedAt === "string") &&
    (method === "GET" || method === "POST") &&
    typeof url === "string" &&
    isRecord(headers) &&
    Object.values(headers).every((one) => typeof one === "string") &&
    typeof body === "string" &&
    BASE64.test(body)
  );
}

function notSaved(file: string, reader: string, cause?: unknown): TypeError {
  const message =
    `${file} is not a saved callback: ${reader} takes the path of a JSON file ` +
    '{ "method": "GET" or "POST", "url", "headers", "body" }, its body in Base64.';
  return invalidArgument(message, { cause });
}
