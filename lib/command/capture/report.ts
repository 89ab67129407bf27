// What `capture` prints for people.

import type { Output } from "../output.js";
import type { Asked } from "./asked-text.js";
import type { Conclusion } from "./conclusion.js";

interface Opening {
  readonly address: string;
  readonly asked: Asked;
  readonly folder: string | undefined;
  readonly forward: string | undefined;
}

const indented = (text: string): string => text.replaceAll(/^/gm, "    ");

export function openingText({ address, asked, folder, forward }: Opening): string {
  return [
    `Listening on ${address}, whatever the path.`,
    "Point a tunnel of yours at it, and the endpoint in the console at the tunnel.",
    folder === undefined
      ? "What comes is gone when this ends: --save FOLDER keeps it."
      : `What comes is kept in ${folder}.`,
    forward === undefined
      ? "Callbacks are acknowledged with 200."
      : `Callbacks are passed on to ${shownUrl(forward)}, and answered as it does.`,
    "",
    "Send this text to your number, from a phone, exactly as it stands:",
    "",
    indented(asked.awkward),
    "",
    "Two spaces stand after the &. If your phone makes a full stop of them, type another letter and remove it.",
    "",
    "And then this one, of two lines:",
    "",
    indented(asked.lines),
    "",
    "If the console's configuration has a keyword, type it and a space first.",
    "If your phone turns straight quotes into curly ones, switch smart punctuation off.",
  ].join("\n");
}

/** Without the query, and without a path of the user's own: both may hold a secret. */
function shownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url);
  const path = pathname === "/" || pathname === "/sms" ? pathname : "/...";
  return `${origin}${path}${search === "" ? "" : "?..."}`;
}

/** A reminder, for a listener to which nothing comes looks as if all was well. */
export const NOTHING_CAME =
  "Nothing has come for a minute. Does the tunnel lead here? --tunnel URL tests it. " +
  "In the console, is its address the endpoint of the Callback Profile, and is the profile chosen for your number?";

const WIDTH = 12;

export function conclusionText({ findings, code }: Conclusion, output: Output): string {
  const colours = { proven: "green", "not proven": "yellow", "to do": "red" } as const;
  const about = Math.max(...findings.map((one) => one.about.length)) + 2;
  return [
    "",
    ...findings.map(
      (one) => `${output.paint(colours[one.state], one.state.padEnd(WIDTH))}${one.about.padEnd(about)}${one.says}`,
    ),
    "",
    code,
    "",
  ].join("\n");
}
