// What a user writes by hand in Fastify, with its own validation; forms are read by @fastify/formbody.

import { SCHEMA, switchOn } from "../by-hand.mjs";
import { callbackForm, callbackPost } from "../callback.mjs";

export const request = (n, { isForm }) => (isForm ? callbackForm(n) : callbackPost(n));

export async function start(handled) {
  const { default: fastify } = await import("fastify");
  const app = fastify();
  await app.register(import("@fastify/formbody"));
  app.post("/sms", { schema: { body: SCHEMA } }, (req, reply) => {
    switchOn(req.body.message, handled);
    handled.add(req.body.id);
    reply.send("");
  });
  await app.ready();
  return (req, res) => app.routing(req, res);
}
