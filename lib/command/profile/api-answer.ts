// An answer of the provider's API: reads it up to a limit, and says whether it states an error.

import { isRecord } from "../../base/record.js";

/** A page of profiles is far shorter. In bytes. */
const MOST_BYTES = 1_048_576;

/** In place of a status: the answer states an error without one. */
export const NO_STATUS = 0;

/** The answer is longer than what is read of it. */
export class TooLong extends Error {}

/** @throws TooLong as soon as the answer, decompressed, is over the limit */
export async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  // Leaving the loop early ends the connection.
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > MOST_BYTES) throw new TooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

export function answerOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return isRecord(answer) ? answer : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The status of an error that the answer states, whatever HTTP says: as a number or its digits, as a word such as
 * `error`, or by an `error` that is not empty.
 *
 * @returns `undefined` if it states none
 */
export function statedStatus(answer: Readonly<Record<string, unknown>> | undefined): number | undefined {
  if (answer === undefined) return undefined;
  const { status, error } = answer;
  const number = typeof status === "number" || /^\d{3}$/.test(String(status)) ? Number(status) : undefined;
  if (number !== undefined && number >= 300) return number;
  const isError = typeof status === "string" && /err|fail|denied|invalid|unauth|forbid/i.test(status);
  return status === false || isError || isSet(error) ? NO_STATUS : undefined;
}

/** The documentation prints `"error": {}` in answers without one. */
function isSet(error: unknown): boolean {
  if (typeof error === "object" && error !== null) return Object.keys(error).length > 0;
  return error !== undefined && error !== null && error !== "" && error !== false;
}
