// Lines of `check` about callbacks that must be accepted, however the provider and the network write them.

import { gzipSync } from "node:zlib";

import { RECIPIENT, SOURCE, type Callbacks } from "./callbacks.js";
import { accepted, line, type Group, type Line } from "./line.js";

const TYPES =
  "Read a body by how it begins: { begins JSON, and all else is a form. Consoles send missing and wrong content types.";
const DAMAGED = "Replace bytes that are not valid, and accept the rest: an SMS must not be lost to half an emoji.";

/** Quotes, a line end, a backslash, braces and an emoji. */
const AWKWARD = 'say "hi",\nC:\\new {"x": 1} \u{1f64f} \u20ac';

/** @param escapes - whether the provider is known to escape, so that nothing else need be read */
export function readingPosts(callbacks: Callbacks, escapes: boolean): Group {
  const postFrom: Callbacks["postFrom"] = (...how) => callbacks.postFrom(...how);
  const message = (json: string, to: string): string =>
    json.replace(/("message": )"(?:[^"\\]|\\.)*"/, () => `"message": ${to}`);
  const ofText: Line[] = [
    line(
      "accepts a text with quotes, a line end, a backslash and an emoji",
      accepted("Read the body as JSON in UTF-8, and take any text."),
      () => callbacks.post(callbacks.text(AWKWARD)),
    ),
    ...(escapes
      ? []
      : [
          line(
            "accepts the same text if the provider does not escape it",
            accepted(
              "The body is no JSON then, and the SMS is lost: read it by the template, as incomingSms does. " +
                "If capture has shown that your provider escapes, run check with --escaping json.",
            ),
            () => callbacks.post(callbacks.text(AWKWARD), "none"),
          ),
        ]),
    line("accepts half an emoji", accepted(DAMAGED), () =>
      postFrom((_fields, json) => {
        const [head = "", tail = ""] = json.split(": hello");
        return Buffer.concat([Buffer.from(`${head}: `), Buffer.from([0xed, 0xa0, 0xbd]), Buffer.from(tail)]);
      }),
    ),
    line("accepts an empty text", accepted("A picture or a blank comes as an empty text: accept it."), () =>
      postFrom((_fields, json) => message(json, '""')),
    ),
    line("accepts null in place of a text", accepted("Read null in message as an empty text."), () =>
      postFrom((_fields, json) => message(json, "null")),
    ),
    line(
      "accepts a text of 2,500 emoji",
      accepted("Accept bodies of 10 KB and more: a long text comes in one callback."),
      () => callbacks.post(callbacks.text("\u{1f64f}".repeat(2_500))),
    ),
  ];
  return {
    title: "Callbacks by POST",
    lines: [
      ...(callbacks.requests("message") ? ofText : []),
      line(
        'accepts the line "parts[n]" of the provider\'s page',
        accepted("Ignore the key parts[n]: it stands in the template that the provider's page prints."),
        () => postFrom((fields) => JSON.stringify({ ...fields, "parts[n]": "hello" }, undefined, 1)),
      ),
      line("accepts numbers with a plus", accepted("Numbers come with or without +: accept both."), () =>
        callbacks.post(undefined, "json", pluses(callbacks)),
      ),
      line("accepts JSON without a content type", accepted(TYPES), () => postFrom((_fields, json) => json, {})),
      line("accepts JSON as application/octet-stream", accepted(TYPES), () =>
        postFrom((_fields, json) => json, { "Content-Type": "application/octet-stream" }),
      ),
      line("accepts JSON under the content type of a form", accepted(TYPES), () =>
        postFrom((_fields, json) => json, { "Content-Type": "application/x-www-form-urlencoded" }),
      ),
      line("accepts a form", accepted(TYPES), () => callbacks.postForm()),
      line("accepts a charset in quotes and capitals", accepted('Read charset="UTF-8" as UTF-8.'), () =>
        postFrom((_fields, json) => json, { "Content-Type": 'application/json; charset="UTF-8"' }),
      ),
      line("accepts a body that is compressed by gzip", accepted("Inflate bodies with Content-Encoding: gzip."), () =>
        postFrom((_fields, json) => gzipSync(json), { "Content-Type": "application/json", "Content-Encoding": "gzip" }),
      ),
    ],
  };
}

export function readingGets(callbacks: Callbacks): Group {
  const quote = (query: string): string => query.replaceAll(/=([^&]*)/g, '="$1"');
  return {
    title: "Callbacks by GET",
    lines: [
      line(
        "accepts values in double quotes, as the provider's page prints them",
        accepted("Take one pair of double quotes off each value, and accept brackets that are not escaped."),
        () => callbacks.get(undefined, quote),
      ),
      line(
        "accepts a plus at the head of a number",
        accepted("Accept source=+91…: the provider does not escape the plus."),
        () => callbacks.get(undefined, (query) => query.replace(/(source|recipient)=/g, "$1=+")),
      ),
      line("accepts an escape that is broken", accepted("Leave a % that begins no escape as it is."), () =>
        callbacks.get(undefined, (query) => `${query}&note=100%&other=%zz%E0%A4`),
      ),
    ],
  };
}

function pluses(callbacks: Callbacks): Record<string, string> {
  const numbers = { source: `+${SOURCE}`, recipient: `+${RECIPIENT}` };
  return Object.fromEntries(Object.entries(numbers).filter(([name]) => callbacks.requests(name)));
}
