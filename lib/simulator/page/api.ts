// What the page asks of its server. Relative URLs: the page works under any mount path.

import type { Draft, Preview, Sent } from "../wire.js";

/** @throws Error with a sentence for the user */
export async function fetchPreview(draft: Draft, signal: AbortSignal): Promise<Preview> {
  return (await post("preview", draft, signal)) as Preview;
}

/** @throws Error with a sentence for the user */
export async function sendDraft(draft: Draft): Promise<Sent> {
  return (await post("send", draft)) as Sent;
}

async function post(resource: string, draft: Draft, signal: AbortSignal | null = null): Promise<unknown> {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(resource, { method: "POST", headers, body: JSON.stringify(draft), signal }).catch(() => {
    throw new Error("The simulator does not answer: is it still running?");
  });
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  const answer: unknown = isJson ? await response.json() : { detail: await response.text() };
  if (response.ok) return answer;
  const hasDetail = typeof answer === "object" && answer !== null && "detail" in answer;
  throw new Error(hasDetail ? String(answer.detail) : `The simulator answered ${response.status}.`);
}
