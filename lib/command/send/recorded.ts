// The request that `send` makes of a recorded callback: its exact bytes, of which single fields can be changed.

import { isHeader } from "../../base/header.js";
import type { ExactRequest } from "../../provider/request.js";
import { readSaved } from "../../provider/saved-callback.js";
import { credentialsOf } from "../credentials.js";
import { wrongUse } from "../failure.js";
import { pairOf } from "../secrets.js";
import { DEFAULT_TARGET } from "../target.js";
import { withCredentials, type Given, type Outgoing } from "./outgoing.js";

/** What goes with a text only. */
const OF_TEXTS = ["keyword", "source", "recipient", "method", "escaping", "profile"] as const;

/** A recorded callback, sent to the endpoint that was given, or to its own path on this machine. @throws Failure */
export function recorded(file: string, url: string | undefined, given: Given): () => Outgoing {
  const ofText = OF_TEXTS.find((name) => given[name] !== undefined);
  if (ofText !== undefined)
    throw wrongUse(`--${ofText} goes with TEXT.`, `--set FIELD=VALUE changes a field of a recorded callback.`);
  const saved = readSaved(file, "--from");
  const query = saved.url.includes("?") ? saved.url.slice(saved.url.indexOf("?") + 1) : "";
  const headers = Object.fromEntries(Object.entries(saved.headers).filter(([name]) => !OF_THE_CONNECTION.test(name)));
  for (const [name, value] of Object.entries(headers)) {
    if (!isHeader(name, value))
      throw wrongUse("--from: the recorded callback has a header that cannot be sent.", "Correct its headers.");
  }
  const changes = given.set.map((one) => pairOf(one, "set"));
  const isGet = saved.method === "GET";
  const changed = changes.reduce(
    (text, change) => withField(text, change),
    isGet ? query : Buffer.from(saved.body).toString("latin1"),
  );
  if (url === undefined && !/^\/(?!\/)/.test(saved.url))
    throw wrongUse("--from: the target of the recorded callback is not a path.", "Name the endpoint with --url.");
  const endpoint = url ?? `${new URL(DEFAULT_TARGET).origin}${saved.url.replace(/\?.*$/s, "")}`;
  const sentQuery = isGet ? changed : query;
  const request: ExactRequest = {
    method: saved.method,
    url: sentQuery === "" ? endpoint : `${endpoint}${endpoint.includes("?") ? "&" : "?"}${sentQuery}`,
    headers,
    ...(isGet ? {} : { body: Buffer.from(changed, "latin1") }),
  };
  const secrets = Object.fromEntries(Object.entries(headers).filter(([name]) => !PLAIN.test(name)));
  const whole = withCredentials(request, { values: secrets, from: "recorded" }, credentialsOf(given));
  return () => whole;
}

/** Headers that are never secret. */
const PLAIN = /^(content-|accept|user-agent$)/i;

/** Headers that belong to the connection on which the callback came. */
const OF_THE_CONNECTION = /^(host|connection|content-length|transfer-encoding|keep-alive|expect|accept-encoding)$/i;

/**
 * Changes one field where it stands, and no other byte. The text has a character for each byte.
 *
 * @throws Failure unless the field is there exactly once: nothing is guessed
 */
function withField(text: string, { name, value }: { readonly name: string; readonly value: string }): string {
  const isJson = /^\s*\{/.test(text);
  const isProper = isJson && isProperJson(text);
  if (isJson && !isProper && /^(message|parts\[)/.test(name))
    throw wrongUse(
      `--set: the body is not valid JSON, so that ${name} has no certain end.`,
      "Send a TEXT of your own.",
    );
  const bytes = Buffer.from(isJson ? JSON.stringify(value).slice(1, -1) : encodeURIComponent(value)).toString("latin1");
  const spelling = [name, encodeURIComponent(name)]
    .map((one) => one.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("|");
  const member = isJson
    ? new RegExp(`((?<!\\\\)"(?:${spelling})"\\s*:\\s*")${isProper ? PROPER_VALUE : BARE_VALUE}`, "gs")
    : new RegExp(`((?:^|&)(?:${spelling})=)([^&]*)`, "g");
  const found = [...text.matchAll(member)];
  if (found.length !== 1)
    throw wrongUse(
      found.length === 0
        ? `--set: the callback has no field ${name}.`
        : `--set: the callback has ${name} more than once.`,
      "Only a field that is there exactly once can be changed.",
    );
  return text.replace(member, (_all, head: string) => `${head}${bytes}`);
}

/** The inside of a JSON string. */
const PROPER_VALUE = String.raw`((?:[^"\\]|\\.)*)(?=")`;
/** A value of a body that nobody escaped: it holds no quote, and another member or the end follows. */
const BARE_VALUE = String.raw`([^"]*)(?="\s*(?:,\s*"|\}\s*$))`;

function isProperJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
