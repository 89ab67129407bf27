// This package in Hono on @hono/node-server, by `sms.fetch`.

import { callbackPost } from "../callback.mjs";
import { router } from "./package-router.mjs";

export const request = (n) => callbackPost(n);

export async function start(handled) {
  const { Hono } = await import("hono");
  const { getRequestListener } = await import("@hono/node-server");
  const sms = await router(handled);
  return getRequestListener(new Hono().post("/sms", (c) => sms.fetch(c.req.raw)).fetch);
}
