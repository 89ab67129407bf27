// docs/write-an-inbox.md: it lists what an inbox has, and names files that are there.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { incomingSms, type InboxWork } from "express-kaleyra-sms";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";

import { ended, temporary } from "../inbox/temporary";
import { readPage, ROOT } from "./page";

const { text: PAGE } = readPage("docs/write-an-inbox.md");

it("lists every method of an inbox, and nothing else", () => {
  const listed = Array.from(PAGE.matchAll(/^### `(\w+)\(/gm), ([, name = ""]) => name);
  const inbox = sqliteInbox({ file: temporary() });
  ended.push(() => inbox.close());
  const methods = Object.entries(inbox).filter(([, value]) => typeof value === "function");
  expect(listed.sort()).toEqual(methods.map(([name]) => name).sort());
});

it("lists everything that `start` gets", async () => {
  const [, listed = ""] = /^`work` is `\{ (.*) \}`\.$/m.exec(PAGE) ?? [];
  const work = await new Promise<InboxWork>((resolve) => {
    const inbox = { store: () => Promise.resolve("stored" as const), start: resolve, close: () => Promise.resolve() };
    incomingSms({ inbox, authenticate: false }).on("message", () => undefined);
  });
  expect(listed.split(", ").sort()).toEqual(Object.keys(work).sort());
});

it("names files and folders that are there", () => {
  const links = Array.from(PAGE.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g), ([, path = ""]) => join("docs", path));
  const folders = Array.from(PAGE.matchAll(/`((?:lib|spec)\/[^`]+)`/g), ([, path = ""]) => path);
  expect(links.length).toBeGreaterThan(2);
  expect(folders.length).toBeGreaterThan(2);
  expect([...links, ...folders].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
