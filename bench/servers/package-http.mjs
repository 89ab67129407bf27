// This package on node:http, with no Express.

import { callbackGet, callbackPost } from "../callback.mjs";
import { router } from "./package-router.mjs";

export const request = (n, { method, text, isForAll }) =>
  method === "GET" ? callbackGet(n) : callbackPost(n, text, isForAll);

export const start = (handled, { deduplicate, isForAll, entry }) =>
  router(handled, { path: "/sms", deduplicate, isForAll, entry });
