// Parses the content type of a body: which reader to use, and the charset of the bytes.

export interface MediaType {
  /** `unknown`: the body itself shows what it is. `unreadable`: there is no reader for it. */
  readonly format: "json" | "form" | "unknown" | "unreadable";
  /** In lower case. Default: `utf-8`. */
  readonly charset: string;
}

const JSON_UTF8: MediaType = { format: "json", charset: "utf-8" };
const UNKNOWN_UTF8: MediaType = { format: "unknown", charset: "utf-8" };
const CHARSET = /(?:^|[;,\s])charset\s*=\s*["']?([^\s"';,]+)/i;
const UTF8 = /^utf[-_]?8/;

/** Some senders repeat the content type, with a comma: the first one counts. */
export function mediaType(contentType: string | undefined): MediaType {
  if (contentType === "application/json") return JSON_UTF8;
  if (contentType === undefined) return UNKNOWN_UTF8;
  const charset = CHARSET.exec(contentType)?.[1]?.toLowerCase() ?? "utf-8";
  const [type = ""] = contentType.trim().split(/[;,\s]/, 1);
  return { format: formatOf(type.toLowerCase()), charset: UTF8.test(charset) ? "utf-8" : charset };
}

function formatOf(type: string): MediaType["format"] {
  if (type === "application/json" || type.endsWith("+json")) return "json";
  if (type === "application/x-www-form-urlencoded") return "form";
  return /^multipart\/|[/+]xml$/.test(type) ? "unreadable" : "unknown";
}

/** JSON's white space, and a byte order mark. */
export const BEFORE_CONTENT = /^[ \t\r\n\ufeff]+/;

/** What is not declared as JSON shows by its first character what it is: `curl -d` sends JSON as a form. */
export function contentOf(
  sent: string,
  format: MediaType["format"],
): { readonly isJson: boolean; readonly text: string } {
  const text = sent.startsWith("{") ? sent : sent.replace(BEFORE_CONTENT, "");
  return { isJson: format === "json" || text.startsWith("{") || (format === "unknown" && text === ""), text };
}
