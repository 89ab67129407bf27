// What a content type says of a body: which reader it wants, and in which charset its bytes are.

export interface MediaType {
  readonly format: "json" | "form" | "other";
  /** In lower case; `utf-8` where none is named. */
  readonly charset: string;
}

const JSON_UTF8: MediaType = { format: "json", charset: "utf-8" };
const CHARSET = /;\s*charset\s*=\s*"?([^\s";]+)/i;

/**
 * JSON is read from `application/json`, any `+json`, any `text/*` but XML, and no content type at all; a form from
 * `application/x-www-form-urlencoded`.
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
