// Parses the content type of a body: which reader to use, and the charset of the bytes.

export interface MediaType {
  readonly format: "json" | "form" | "other";
  /** In lower case. Default: `utf-8`. */
  readonly charset: string;
}

const JSON_UTF8: MediaType = { format: "json", charset: "utf-8" };
const CHARSET = /;\s*charset\s*=\s*"?([^\s";]+)/i;

/**
 * `json`: `application/json`, any `+json`, any `text/*` except XML, and a missing content type.
 * `form`: `application/x-www-form-urlencoded`.
 */
export function mediaType(contentType: string | undefined): MediaType {
  if (contentType === undefined || contentType === "application/json") return JSON_UTF8;
  const charset = CHARSET.exec(contentType)?.[1]?.toLowerCase() ?? "utf-8";
  return { format: formatOf((contentType.split(";", 1)[0] ?? "").trim().toLowerCase()), charset };
}

function formatOf(type: string): MediaType["format"] {
  if (type === "" || type === "application/json" || type.endsWith("+json")) return "json";
  if (type === "application/x-www-form-urlencoded") return "form";
  return type.startsWith("text/") && !/^text\/(xml|.+\+xml$)/.test(type) ? "json" : "other";
}
