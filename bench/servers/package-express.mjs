// This package, mounted in Express 5.

import { callbackGet, callbackPost } from "../callback.mjs";
import { router } from "./package-router.mjs";

export const request = (n, { method, text, isForAll }) =>
  method === "GET" ? callbackGet(n) : callbackPost(n, text, isForAll);

export async function start(handled, { isForAll }) {
  const { default: express } = await import("express");
  return express().use("/sms", await router(handled, { isForAll }));
}
