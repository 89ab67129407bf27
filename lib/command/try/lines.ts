// The lines of a stream, as they come.

import type { Readable } from "node:stream";

/** Line ends are LF and CRLF; the last line need not have one. A byte-order mark at the head is none of the text. */
export async function* linesOf(stream: Readable): AsyncGenerator<string> {
  stream.setEncoding("utf8");
  let rest = "";
  let isFirst = true;
  for await (const chunk of stream) {
    const text = isFirst ? String(chunk).replace(/^\ufeff/, "") : String(chunk);
    isFirst = false;
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  if (rest !== "") yield rest.replace(/\r$/, "");
}
