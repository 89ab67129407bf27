// A headless Chromium for the specs of the page.

import { existsSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe } from "@jest/globals";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

/** Where Debian and others install it. */
const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** What happened on a page that must not: errors, refused scripts and styles, and requests to other servers. */
type Mishaps = readonly string[];

export type OpenPage = (url: string, options?: BrowserContextOptions) => Promise<{ page: Page; mishaps: Mishaps }>;

/** Declares specs that need Chromium. If it is not installed, it throws in CI; elsewhere the specs are skipped. */
export function describeWithChromium(name: string, specs: (openPage: OpenPage) => void): void {
  const executablePath = [process.env.CHROMIUM ?? "", ...PATHS].find((path) => existsSync(path));
  const never: OpenPage = () => Promise.reject(new Error("Chromium is not installed"));
  if (executablePath === undefined) {
    if (process.env.CI === "true") throw new Error("CI needs Chromium: apt-get install chromium");
    console.warn("Specs are skipped: Chromium is not installed. Set CHROMIUM to its path if it is elsewhere.");
    describe.skip(`${name}: skipped, Chromium is not installed`, () => specs(never));
    return;
  }
  describe(name, () => {
    let browser: Browser | undefined;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    }, 60_000);
    afterEach(async () => {
      for (const context of browser?.contexts() ?? []) await context.close();
    });
    afterAll(async () => browser?.close());
    specs(async (url, options) => {
      if (browser === undefined) throw new Error("Chromium did not start");
      const page = await (await browser.newContext(options)).newPage();
      const mishaps: string[] = [];
      page.on("pageerror", (error) => mishaps.push(String(error)));
      page.on("console", (line) => {
        if (line.type() === "error" || line.type() === "warning") mishaps.push(line.text());
      });
      page.on("request", (request) => {
        if (new URL(request.url()).origin !== new URL(url).origin) mishaps.push(request.url());
      });
      await page.goto(url);
      await page.getByText("live", { exact: true }).waitFor();
      return { page, mishaps };
    });
  });
}
