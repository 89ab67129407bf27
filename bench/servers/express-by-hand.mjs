// What a user writes by hand: Express 5, express.json(), Ajv, a switch, res.send. For GET, it removes quotes.

import { compileSchema, switchOn } from "../by-hand.mjs";
import { callbackGet, callbackPost } from "../callback.mjs";

export const request = (n, { method }) => (method === "GET" ? callbackGet(n) : callbackPost(n));

const unquoted = (query) =>
  Object.fromEntries(Object.entries(query).map(([name, value]) => [name, value.replace(/^"(.*)"$/, "$1")]));

export async function start(handled) {
  const { default: express } = await import("express");
  const validate = await compileSchema();
  const answer = (fields, res) => {
    if (!validate(fields)) {
      res.status(400).send(validate.errors);
      return;
    }
    switchOn(fields.message, handled);
    handled.add(fields.id);
    res.status(200).send("");
  };
  return express()
    .get("/sms", (req, res) => answer(unquoted(req.query), res))
    .post("/sms", express.json(), (req, res) => answer(req.body, res));
}
