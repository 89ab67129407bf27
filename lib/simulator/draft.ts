// Reads what the page asks to send.

import type { IncomingRequest } from "../http/requests.js";
import { isRecord } from "../base/record.js";
import { isAddable } from "./simulator-options.js";
import type { Draft, Misbehaviour } from "./wire.js";

const MISBEHAVIOURS: Readonly<Record<Misbehaviour, true>> = {
  none: true,
  twice: true,
  overtaking: true,
  "wrong-secret": true,
  "cut-body": true,
  "delivery-report": true,
};
/** In bytes. */
const MAX_LENGTH = 4_194_304;

/** What was wrong with a request of the page, as a sentence for its reader. */
export class Refused {
  readonly status: number;
  readonly detail: string;

  constructor(status: number, detail: string) {
    this.status = status;
    this.detail = detail;
  }
}

export async function readDraft(req: IncomingRequest): Promise<Draft | Refused> {
  // Another site can send a form, but JSON only with the permission of this server.
  if (!/^application\/json\b/i.test(req.headers["content-type"] ?? ""))
    return new Refused(415, "The page sends application/json.");
  const draft = isRecord(req.body) ? req.body : await readJson(req);
  if (draft instanceof Refused) return draft;
  if (!isDraft(draft)) return new Refused(400, "This is not what the page sends. Reload the page.");
  const { name, value } = draft.header;
  if (name !== "" && !isAddable(name, value))
    return new Refused(400, `"${name}" cannot be sent as a header: use another name, and printable characters.`);
  return draft;
}

/** @returns `undefined` if the body is not JSON */
async function readJson(req: IncomingRequest): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_LENGTH) return new Refused(413, `The page sends at most ${MAX_LENGTH} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}

function isDraft(value: unknown): value is Draft {
  if (!isRecord(value) || !isRecord(value.header)) return false;
  const { text, source, recipient, keyword, id, method, escaped, misbehaviour, header } = value;
  return (
    [text, source, recipient, keyword, id, header.name, header.value].every((one) => typeof one === "string") &&
    (method === "GET" || method === "POST") &&
    typeof escaped === "boolean" &&
    typeof misbehaviour === "string" &&
    Object.hasOwn(MISBEHAVIOURS, misbehaviour)
  );
}
