// docs/simulator.md: its code serves the page, and its table lists the options that there are.

import { runInNewContext } from "node:vm";
import { afterAll, expect, it } from "@jest/globals";
import { simulator } from "express-kaleyra-sms/simulator";
import express from "express";

import { closeServers, listen, recorder } from "../support/recorder";
import { names, readPage } from "./page";

const PAGE = readPage("docs/simulator.md");
afterAll(closeServers);

it.each(["development", "production"])("has code that serves the page, but not in production: %s", async (NODE_ENV) => {
  const app = express();
  const { sms } = recorder();
  const code = PAGE.block("ts", "simulator(sms").replace(/^import .*\n/, "");
  runInNewContext(code, { app, sms, simulator, process: { env: { NODE_ENV, CALLBACK_TOKEN: "s3cret" } } });
  const url = `http://localhost:${await listen(app)}`;
  expect(PAGE.text).toContain("`http://localhost:3000/simulator`");
  const page = await fetch(`${url}/simulator`);
  expect(page.status).toBe(NODE_ENV === "production" ? 404 : 200);
  if (page.ok) expect(await page.text()).toContain("<title>");
  await sms.close();
});

it("lists the options that there are", () => {
  const listed = names(PAGE.table("## Options")).join(", ");
  expect(() => simulator(undefined, { target: "/", "?": 1 } as never)).toThrow(`They are ${listed}.`);
});
