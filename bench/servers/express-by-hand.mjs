// What a user writes by hand: Express 5, express.json(), Ajv, a switch, res.send.

import { switchOn } from "../by-hand.mjs";
import { callbackPost } from "../callback.mjs";

const text = { type: "string" };
const SCHEMA = {
  type: "object",
  required: ["id", "source", "recipient", "message"],
  properties: {
    id: text,
    source: text,
    recipient: text,
    message: text,
    keyword: text,
    kid: text,
    description: text,
    status: { const: "SENT" },
    status_trace: text,
    operator: text,
    circle: text,
    timestamp: text,
  },
};

export const request = callbackPost;

export async function start(handled) {
  const { default: express } = await import("express");
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const validate = new Ajv2020({ allErrors: true }).compile(SCHEMA);
  return express().post("/sms", express.json(), (req, res) => {
    if (!validate(req.body)) {
      res.status(400).send(validate.errors);
      return;
    }
    switchOn(req.body.message, handled);
    handled.add(req.body.id);
    res.status(200).send("");
  });
}
