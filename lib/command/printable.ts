// What was sent, as it may be printed: it can neither steer a terminal nor look like another line of the output.

/** Control characters, line ends, those that change the direction of what follows, and the byte-order mark. */
const STEERING = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** A text in one line, without quotes. */
export function printable(text: string): string {
  return text.replaceAll(STEERING, escaped);
}

/** A text of several lines. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** Data as JSON in several lines, in which only line ends of JSON's own are left as they are. */
export function printableJson(data: object): string {
  return printableLines(JSON.stringify(data, undefined, 2));
}

/** A subscriber, recognizable only to someone who knows the number: `+91…01`. */
export function masked(source: string): string {
  return source.length < 8 ? "…" : `${printable(source.slice(0, 3))}…${printable(source.slice(-2))}`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
