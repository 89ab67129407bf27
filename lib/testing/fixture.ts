// Reads a callback that was saved to a file.

import { invalidArgument } from "../base/errors.js";
import type { Callback } from "../callback/read-callback.js";
import { callbackOf, inflated } from "../provider/as-callback.js";
import { readSaved } from "../provider/saved-callback.js";

/**
 * Reads a callback that was saved to a file, as `sms.receive` takes it.
 *
 * The file is JSON, `{ method, url, headers, body }`: `method` is `"GET"` or `"POST"`; `url` the target of the request,
 * with its query; `headers` a record of strings; `body` the exact bytes that came, in Base64, empty under GET.
 * `express-kaleyra-sms capture --save FOLDER` writes such files.
 *
 * @throws TypeError if the file cannot be read, or is not such a callback
 * @example
 * const { message } = await sms.receive(fixture("spec/fixtures/emoji.json"));
 */
export function fixture(file: string): Callback {
  const saved = readSaved(file, "fixture");
  try {
    return callbackOf({ ...saved, body: inflated(saved) });
  } catch (cause) {
    throw invalidArgument(`${file} is not a saved callback: its body cannot be inflated.`, { cause });
  }
}
