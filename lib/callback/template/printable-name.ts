// A name out of a template, as a sentence may hold it: short, in one line, and without what steers a terminal.

const MOST_CHARACTERS = 60;

/** Without quotes. A character that is not seen, or that turns the direction of a line, is written as its escape. */
export function printableName(name: string): string {
  const isLong = name.length > MOST_CHARACTERS;
  const shown = name.slice(0, MOST_CHARACTERS).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
  return isLong ? `${shown}…` : shown;
}

function escaped(characters: string): string {
  return Array.from({ length: characters.length }, (_, at) => characters.charCodeAt(at))
    .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
    .join("");
}
