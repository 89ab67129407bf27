// Whether a page is easy to read: one sentence a line, and none that is long.

/** The lines of prose that hold more than one sentence, or more than 25 words. */
export function longSentences(markdown: string): string[] {
  return markdown
    .replace(/^```[^]*?^```$/gm, "")
    .replace(/^<picture>[^]*?^<\/picture>$/gm, "")
    .split("\n")
    .filter((line) => !line.startsWith("|") && !line.includes(" · "))
    .map((line) => line.replace(/`[^`]*`|"[^"]*"/g, "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"))
    .map((line) => line.replace(/^\s*(?:-|\d+\.) /, ""))
    .filter((line) => /[.!?]\s+\S/.test(line) || line.split(/\s+/).length > 25);
}
