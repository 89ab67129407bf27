// This package on node:http, with no Express.

import { callbackGet, callbackPost } from "../callback.mjs";
import { router } from "./package-router.mjs";

export const request = (n, { method }) => (method === "GET" ? callbackGet(n) : callbackPost(n));

export const start = (handled, { deduplicate }) => router(handled, { path: "/sms", deduplicate });
