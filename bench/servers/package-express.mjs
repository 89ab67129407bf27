// This package, mounted in Express 5.

import { callbackGet, callbackPost, nationalSourceOf } from "../callback.mjs";
import { router } from "./package-router.mjs";

export const request = (n, { method, text, isForAll, defaultCountry }) =>
  method === "GET"
    ? callbackGet(n)
    : callbackPost(n, text, isForAll, defaultCountry === undefined ? undefined : nationalSourceOf(n));

export async function start(handled, { deduplicate, isForAll, isAsync, defaultCountry, entry }) {
  const { default: express } = await import("express");
  return express().use("/sms", await router(handled, { deduplicate, isForAll, isAsync, defaultCountry, entry }));
}
