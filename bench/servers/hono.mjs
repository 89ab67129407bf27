// What a user writes by hand in Hono on @hono/node-server: c.req.json(), Ajv, a switch.

import { compileSchema, switchOn } from "../by-hand.mjs";
import { callbackPost } from "../callback.mjs";

export const request = (n) => callbackPost(n);

export async function start(handled) {
  const { Hono } = await import("hono");
  const { getRequestListener } = await import("@hono/node-server");
  const validate = await compileSchema();
  const app = new Hono().post("/sms", async (c) => {
    const fields = await c.req.json();
    if (!validate(fields)) return c.json(validate.errors, 400);
    switchOn(fields.message, handled);
    handled.add(fields.id);
    return c.body("");
  });
  return getRequestListener(app.fetch);
}
