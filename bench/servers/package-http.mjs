// This package on node:http, with no Express.

import { callbackForm, callbackGet, callbackPost } from "../callback.mjs";
import { router } from "./package-router.mjs";

export function request(n, { method, isForm, text, isForAll }) {
  if (method === "GET") return callbackGet(n);
  return isForm ? callbackForm(n) : callbackPost(n, text, isForAll);
}

export const start = (handled, { deduplicate, isForAll, isAsync, entry }) =>
  router(handled, { path: "/sms", deduplicate, isForAll, isAsync, entry });
