// This package, mounted in Express 5.

import { callbackGet, callbackPost } from "../callback.mjs";
import { router } from "./package-router.mjs";

export const request = (n, { method, text }) => (method === "GET" ? callbackGet(n) : callbackPost(n, text));

export async function start(handled) {
  const { default: express } = await import("express");
  return express().use("/sms", await router(handled));
}
