// Any text arrives exactly as sent: as JSON, as a form, and as a query.

import { expect, it } from "@jest/globals";
import fc from "fast-check";

import { listen, closeServers, recorder } from "../support/recorder";

/** Any well-formed text, including texts that look like syntax or like a placeholder. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ unit: "grapheme", maxLength: 100 }),
  fc
    .array(
      fc.constantFrom(
        '"',
        "\\",
        "{",
        "}",
        "&",
        "=",
        "+",
        "%",
        "%41",
        " ",
        "\n",
        "<message>",
        "\u2028",
        "\0",
        "parts[1]",
      ),
      { maxLength: 40 },
    )
    .map((parts) => parts.join("")),
);

it("delivers any text exactly as sent, over POST as JSON, over POST as a form, and over GET", async () => {
  const { sms, messages, invalid } = recorder();
  const port = await listen(sms);
  const url = `http://127.0.0.1:${port}/`;
  let id = 0;
  try {
    await fc.assert(
      fc.asyncProperty(text, async (message) => {
        const fields = { id: `${id++}`, source: "919876543210", recipient: "5050", message };
        const form = Object.entries(fields)
          .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
          .join("&");
        const requests = [
          fetch(url, {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ ...fields, id: `${id}j` }),
          }),
          fetch(url, {
            method: "POST",
            headers: { "Content-Type": "application/x-www-form-urlencoded" },
            body: form.replace("id=", "id=f"),
          }),
          fetch(`${url}?${form.replace("id=", "id=g")}`),
        ];
        const statuses = await Promise.all(requests.map(async (request) => (await request).status));
        expect(statuses).toEqual([200, 200, 200]);
        expect(messages.splice(0).map((received) => received.text)).toEqual([message, message, message]);
      }),
      { numRuns: 500 },
    );
    expect(invalid).toEqual([]);
  } finally {
    await closeServers();
  }
}, 60_000);
