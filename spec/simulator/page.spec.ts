// The page of the simulator, in headless Chromium.

import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { afterEach, expect, it, jest } from "@jest/globals";
import { callbackProfile } from "express-kaleyra-sms";
import { simulator } from "express-kaleyra-sms/simulator";
import { memoryInbox } from "express-kaleyra-sms/testing";
import express from "express";
import helmet from "helmet";
import type { Locator, Page } from "playwright-core";

import { post as receivable } from "../support/callbacks";
import { freePort } from "../support/free-port";
import { closeServers, listen, recorder } from "../support/recorder";
import { recordWarnings } from "../support/warnings";
import { describeWithChromium } from "./browser";
import { app } from "./support";

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const textField = (page: Page): Locator => page.getByRole("textbox", { name: "Text", exact: true });
const sendButton = (page: Page): Locator => page.getByRole("button", { name: "Send", exact: true });
const rows = (page: Page): Locator => page.locator("#events > li");
const bubbles = (page: Page): Locator => page.locator("#thread > li");

async function send(page: Page, text: string): Promise<void> {
  const before = await bubbles(page).count();
  await textField(page).fill(text);
  await sendButton(page).click();
  await bubbles(page).nth(before).and(page.locator("[data-result]")).waitFor();
}

recordWarnings();
afterEach(closeServers);
// A browser is slow on a machine that does other things, too.
jest.setTimeout(60_000);

describeWithChromium("the page", (openPage) => {
  it("sends at the first click, and shows the answer, the event and how long handlers took", async () => {
    const { port, sms, messages } = await app();
    sms.keyword("HELLO", () => undefined);
    const { page, mishaps } = await openPage(`http://localhost:${port}/simulator`);
    await sendButton(page).click();
    await bubbles(page)
      .getByText(/^200 OK · .* ms$/)
      .waitFor();
    await rows(page).first().waitFor();
    expect(messages).toMatchObject([{ text: "Hello", method: "POST" }]);
    const row = await rows(page).first().innerText();
    expect(row).toContain("handled");
    expect(row).toMatch(/keyword HELLO\s+(?:< )?\d/);
    await rows(page).first().locator("summary").click();
    await rows(page).getByRole("table").getByText("keyword HELLO (by text)").first().waitFor();
    expect(await rows(page).locator("dl").innerText()).toMatch(/source\s+919876543210/);
    expect(await textField(page).inputValue()).toBe("");
    expect(mishaps).toEqual([]);
  });

  it("sends by GET, to other numbers, with a keyword, and not escaped", async () => {
    const { port, messages } = await app();
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await page.getByLabel("From").fill("+14155550100");
    await page.getByLabel("To", { exact: true }).fill("5050");
    await page.getByLabel("Keyword").fill("ACME");
    await page.getByLabel("GET").check();
    await send(page, "ACME STOP");
    await page.getByLabel("POST").check();
    await page.getByLabel("No", { exact: true }).check();
    await send(page, 'say "hi"');
    expect(messages).toMatchObject([
      { method: "GET", source: "+14155550100", recipient: "5050", keyword: "ACME", parts: ["ACME", "STOP"] },
      { method: "POST", text: 'say "hi"', repaired: true },
    ]);
    expect(await page.getByRole("heading", { name: "5050" }).count()).toBe(1);
  });

  it("offers the only method of the router's profile", async () => {
    const { port } = await app({ profile: callbackProfile({ method: "GET", url: "https://a.test/", parts: 1 }) });
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await page.locator("#shown").getByText("GET /sms?source=").waitFor();
    expect([await page.getByLabel("GET").isChecked(), await page.getByLabel("POST").isDisabled()]).toEqual([
      true,
      true,
    ]);
  });

  it("shows the exact request while one types, as bytes and as a command", async () => {
    const { port, messages } = await app();
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await textField(page).fill("it's");
    const shown = page.locator("#shown");
    await shown.getByText(`"message": "it's"`).waitFor();
    expect(await shown.innerText()).toMatch(/^POST \/sms HTTP\/1\.1\n/);
    await page.getByRole("tab", { name: "curl" }).click();
    expect(await shown.innerText()).toContain(String.raw`"message": "it'\''s"`);
    expect(messages).toEqual([]);
  });

  it("marks the place at which an invalid callback is wrong", async () => {
    const { port } = await app();
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await page.getByLabel("Goes wrong").selectOption("delivery report");
    await send(page, "x");
    await rows(page).first().locator("summary").click();
    await rows(page).locator("mark").waitFor();
    expect(await rows(page).locator("mark").allInnerTexts()).toEqual(['"DELIVERED"']);
    await page.getByLabel("Goes wrong").selectOption("cut body");
    await send(page, "y");
    await rows(page).nth(1).waitFor();
    await rows(page).first().locator("summary").click();
    await rows(page).first().locator("mark").waitFor();
    expect(await rows(page).first().locator("mark").allInnerTexts()).toEqual(["the end"]);
  });

  it("sends twice at once, and START before STOP", async () => {
    const { port, messages, duplicates } = await app();
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await page.getByLabel("Goes wrong").selectOption("sent twice at once");
    await send(page, "x");
    expect([messages.length, duplicates.length]).toEqual([1, 1]);
    await page.getByLabel("Goes wrong").selectOption("START before STOP");
    await page.getByText("Sends START and STOP, and not the text").waitFor();
    await send(page, "ignored");
    expect(messages.map(({ text }) => text)).toEqual(["x", "START", "STOP"]);
    expect(await page.locator("#thread .typed").allInnerTexts()).toEqual(["x", "START", "STOP"]);
  });

  it("sends a header for authentication that it never shows, and a wrong one", async () => {
    const { port, messages } = await app({ authenticate: { header: "X-Callback-Token", value: "canary" } });
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await send(page, "without");
    await rows(page).first().getByText('The header "x-callback-token" is missing.').waitFor();
    await page.getByText("Header for authentication").click();
    await page.getByLabel("Name").fill("X-Callback-Token");
    await page.getByLabel("Value").fill("canary");
    await send(page, "with");
    expect(messages.map(({ text }) => text)).toEqual(["with"]);
    await page.getByLabel("Goes wrong").selectOption("wrong secret");
    await send(page, "wrong");
    expect(messages).toHaveLength(1);
    expect(await page.locator("body").innerText()).not.toContain("canary");
  });

  it("opens the reason why a caller was not authorized, and wraps it", async () => {
    const { port } = await app({ authenticate: { header: "X-Callback-Token", value: "right" } });
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await send(page, "without");
    const reason = 'The header "x-callback-token" is missing.';
    await rows(page).first().locator("summary").click();
    await rows(page).locator(".inside").getByText(reason).waitFor();
    const isCut = "(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(document.querySelector('.why'))";
    expect([await rows(page).locator(".why").innerText(), await page.evaluate(isCut)]).toEqual([reason, false]);
  });

  it("says where it is seen that no secret was wrong, since none is set", async () => {
    const { port, messages } = await app();
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await page.getByLabel("Goes wrong").selectOption("wrong secret");
    await page.locator("#settings").getByText("No secret is set").waitFor();
    await send(page, "unchecked");
    await bubbles(page).getByText("No secret is set").waitFor();
    expect(messages).toHaveLength(1);
    await page.getByLabel("Goes wrong").selectOption("nothing");
    await page.locator("#misbehaviour-note").waitFor({ state: "hidden" });
  });

  it("marks a callback that has words only, and a text that is empty", async () => {
    const { port } = await app();
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await send(page, "");
    await rows(page).first().waitFor();
    for (const shown of [bubbles(page), rows(page)]) expect(await shown.first().ariaSnapshot()).toContain("(empty)");
    await page.getByLabel("GET").check();
    await send(page, "JOIN gold");
    await rows(page).first().getByText("words only, no text").waitFor();
    await rows(page).first().locator("summary").click();
    await rows(page).first().getByText("handlers get its words as parts").waitFor();
    await page.getByLabel("To", { exact: true }).fill("");
    await page.getByRole("heading", { name: "no number" }).waitFor();
  });

  it("shows the text and the answer of a router in another process, also if it is away", async () => {
    const other = await app({ ack: { body: '{"ok":true}' } });
    const closed = await freePort();
    for (const [target, says] of [
      [`${other.port}/sms`, '{"ok":true}'],
      [`${closed}/sms`, `Nothing listens at 127.0.0.1:${closed}. Start your app.`],
    ] as const) {
      const port = await listen(express().use(simulator(undefined, { target: `http://127.0.0.1:${target}` })));
      const { page } = await openPage(`http://localhost:${port}/`);
      await send(page, "far away");
      await rows(page).first().getByText("far away").waitFor();
      await rows(page).first().locator("summary").click();
      await rows(page).locator(".inside").getByText(says).waitFor();
      await bubbles(page).getByText(says).waitFor();
    }
  });

  it("says that the simulator does not answer", async () => {
    const { sms } = recorder();
    const server = createServer(simulator(sms, { target: "/sms" }));
    const port = await listen(server);
    const { page } = await openPage(`http://localhost:${port}/`);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await send(page, "nobody there");
    await bubbles(page).getByText("The simulator does not answer: is it still running?").waitFor();
  });

  const EMOJI = "🙏".repeat(5_000);
  it.each([
    [
      "HTML and scripts",
      `<script>document.title = "x"</script><img src=x onerror="document.title = 'x'"><b>b</b>&amp;`,
    ],
    ["right-to-left marks", "\u202eevil\u202c \u200fشكرا\u2067 x"],
    ["5,000 emoji", EMOJI],
    ["lines and quotes", `one\n"two"\n\tthree \\ '`],
  ])("shows %s as typed", async (_, text) => {
    const { port, messages } = await app();
    const { page, mishaps } = await openPage(`http://localhost:${port}/simulator`);
    await send(page, text);
    expect(messages.map((message) => message.text)).toEqual([text]);
    await rows(page).first().locator("summary").click();
    for (const where of ["#thread .typed", "#events .what", "#events .full"]) {
      expect(await page.locator(where).textContent()).toBe(text);
      expect(await page.locator(where).locator("*").count()).toBe(0);
    }
    expect(await page.locator("dd").allTextContents()).toContain(text);
    expect(await page.title()).toBe("SMS simulator");
    // A mark in a text ends with it: what stands beside keeps its direction.
    const isolation = "getComputedStyle(document.querySelector('#events .what')).unicodeBidi";
    expect(await page.evaluate(isolation)).toBe("isolate");
    expect(mishaps).toEqual([]);
  });

  it("shows the marks and control characters of a request by their codes", async () => {
    const { port } = await app();
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await page.getByLabel("No", { exact: true }).check();
    await textField(page).fill("\u202ea\u0007");
    await page.locator("#shown .sign").first().waitFor();
    expect(await page.locator("#shown .sign").allInnerTexts()).toEqual(["U+202E", "U+0007"]);
  });

  it("stays usable while 1,000 events a second come, keeps a bounded number, and says what is gone", async () => {
    const { port, sms } = await app({ deduplicate: false });
    const { page, mishaps } = await openPage(`http://localhost:${port}/simulator`);
    let isFlooding = true;
    let sent = 0;
    // A batch for each frame that the page draws: at 60 frames a second more than a thousand, and none if it freezes.
    const flood = async (): Promise<void> => {
      while (isFlooding) {
        for (let n = 0; n < 20; n++) await sms.receive(receivable({ message: `flood ${sent++}` }));
        await page.evaluate("new Promise((drawn) => requestAnimationFrame(drawn))");
      }
    };
    const flooding = flood();
    await page.getByText("earlier events are gone").waitFor();
    // The page reacts to a user meanwhile.
    await send(page, "amid the flood");
    await page.getByRole("button", { name: "Pause" }).click();
    const [first] = await rows(page).locator(".what").allTextContents();
    await page.getByRole("button", { name: /^Resume \([\d,]+ new\)$/ }).waitFor();
    expect(await rows(page).locator(".what").first().textContent()).toBe(first);
    isFlooding = false;
    await flooding;
    await page.getByRole("button", { name: /^Resume/ }).click();
    await rows(page)
      .first()
      .getByText(`flood ${sent - 1}`)
      .waitFor();
    expect(await rows(page).count()).toBe(300);
    const gone = Number(/[\d,]+/.exec(await page.locator("#gone").innerText())?.[0].replaceAll(",", ""));
    expect(gone).toBe(sent + 1 - 300);
    expect(mishaps).toEqual([]);
  });

  it("finds events by a word, a number or an outcome", async () => {
    const { port, sms } = await app();
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    for (const message of ["apple", "pear"]) await sms.receive(receivable({ message }));
    await sms.receive({ method: "POST", body: "{}" });
    await rows(page).nth(2).waitFor();
    const shown = async (words: string): Promise<number> => {
      await page.getByRole("searchbox", { name: "Filter events" }).fill(words);
      return rows(page).filter({ visible: true }).count();
    };
    expect([await shown("APPLE"), await shown("+919876543210"), await shown("invalid"), await shown("")]).toEqual([
      1, 2, 1, 3,
    ]);
    await page.getByRole("button", { name: "Clear" }).click();
    expect(await rows(page).count()).toBe(0);
  });

  it("shows the counts of an inbox, and the attempts at a message", async () => {
    const inbox = memoryInbox({ attempts: 2 });
    const { port, sms } = await app({ inbox });
    sms.keyword("FAIL", () => {
      throw new RangeError("the database is full");
    });
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await send(page, "FAIL");
    await rows(page).getByText("stored").waitFor();
    await inbox.advance(60_000);
    await page.getByRole("list", { name: "Messages in the inbox" }).getByText("1 dead").waitFor();
    await rows(page)
      .getByText(/attempt 2, the last/)
      .first()
      .waitFor();
    await rows(page).first().locator("summary").click();
    await rows(page).getByText("the database is full").first().waitFor();
    await sms.close();
  });

  it("works by keyboard alone", async () => {
    const { port, messages } = await app();
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    const focused = (): Promise<string> => page.evaluate<string>("document.activeElement?.id ?? ''");
    const tabTo = async (id: string): Promise<void> => {
      for (let n = 0; n < 40 && (await focused()) !== id; n++) await page.keyboard.press("Tab");
      expect(await focused()).toBe(id);
    };
    await tabTo("text");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("by keyboard");
    await page.keyboard.press("Enter");
    await rows(page).first().getByText("by keyboard").waitFor();
    await tabTo("misbehaviour");
    await page.keyboard.press("ArrowDown");
    await tabTo("tab-raw");
    await page.keyboard.press("ArrowRight");
    expect(await page.getByRole("tab", { name: "curl" }).getAttribute("aria-selected")).toBe("true");
    await tabTo("events-scroller");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await rows(page).first().locator("dl").waitFor();
    await page.getByRole("status").getByText("Answered 200 OK").waitFor({ state: "attached" });
    expect(messages).toMatchObject([{ text: "by keyboard" }]);
  });

  it("puts a sent text back into the field, to edit it and send it again", async () => {
    const { port, messages } = await app();
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await send(page, "JOIN GOLD");
    await page.getByRole("button", { name: "Edit this text again" }).click();
    expect(await textField(page).inputValue()).toBe("JOIN GOLD");
    await page.keyboard.press("End");
    await page.keyboard.type("!");
    await page.keyboard.press("Enter");
    await rows(page).nth(1).waitFor();
    expect(messages.map(({ text }) => text)).toEqual(["JOIN GOLD", "JOIN GOLD!"]);
  });

  const looks = (["light", "dark"] as const).flatMap((colorScheme) =>
    [1360, 1000, 390].map((width) => [colorScheme, width] as const),
  );
  it.each(looks)("has nothing that axe-core finds: %s, %i pixels wide", async (colorScheme, width) => {
    const { port, sms } = await app({ inbox: memoryInbox() });
    const { page } = await openPage(`http://localhost:${port}/simulator`, {
      colorScheme,
      viewport: { width, height: 800 },
    });
    // What moves has no settled contrast.
    await page.emulateMedia({ reducedMotion: "reduce" });
    // On narrow screens, both cards are closed at first.
    for (const id of ["settings", "request"]) {
      const closed = page.locator(`#${id}:not([open]) > summary`);
      if ((await closed.count()) > 0) await closed.click();
    }
    await send(page, "Hello");
    await page.getByLabel("Goes wrong").selectOption("delivery report");
    await send(page, "x".repeat(700));
    await page.getByText("Header for authentication").click();
    await rows(page).nth(1).waitFor();
    for (const row of await rows(page).all()) await row.locator("summary").click();
    await page.evaluate(AXE);
    const found =
      "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))";
    expect(await page.evaluate(found)).toEqual([]);
    // Nothing is wider than the screen.
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    await sms.close();
  });

  it("works at three depths, behind helmet, and behind a proxy that strips a prefix", async () => {
    const { sms, messages } = recorder();
    const page = simulator(sms, { target: "/sms" });
    const made = express().use(helmet()).use("/sms", sms).use("/simulator", page).use("/a/b/simulator", page);
    made.use("/c", express.Router().use("/d/e/simulator", page));
    const port = await listen(made);
    const proxy = await listen(
      createServer((req, res) => {
        const { method, headers, url = "" } = req;
        const passing = request(
          { host: "127.0.0.1", port, method, headers, path: url.replace("/tools", "") },
          (response) => {
            res.writeHead(response.statusCode ?? 500, response.headers);
            response.pipe(res);
          },
        );
        passing.on("error", () => res.destroy());
        res.on("close", () => passing.destroy());
        req.pipe(passing);
      }),
    );
    const urls = [`${port}/simulator`, `${port}/a/b/simulator`, `${port}/c/d/e/simulator`, `${proxy}/tools/simulator`];
    for (const [n, url] of urls.entries()) {
      const { page: opened, mishaps } = await openPage(`http://localhost:${url}`);
      await send(opened, `text ${n}`);
      await rows(opened).first().getByText(`text ${n}`).waitFor();
      expect(mishaps).toEqual([]);
    }
    expect(messages.map(({ text }) => text)).toEqual(urls.map((_, n) => `text ${n}`));
  });

  it("connects again after the server was away, and misses nothing", async () => {
    const { sms } = recorder();
    const made = express()
      .use("/sms", sms)
      .use("/simulator", simulator(sms, { target: "/sms" }));
    const server = createServer(made);
    const port = await listen(server);
    const { page } = await openPage(`http://localhost:${port}/simulator`);
    await send(page, "before");
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await page.getByText("connecting", { exact: true }).waitFor();
    await sms.receive(receivable({ message: "meanwhile" }));
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    await rows(page).first().getByText("meanwhile").waitFor();
    expect(await rows(page).count()).toBe(2);
  });
});
