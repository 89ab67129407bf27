// @line/bot-sdk's middleware on Express 5, with signed LINE events.

import { createHmac } from "node:crypto";

import { switchOn } from "../by-hand.mjs";
import { digits, httpPost, sourceOf, TEXT } from "../callback.mjs";

const SECRET = "a-secret-of-the-benchmark";

export const signedPerSecond = 20_000;

export function request(n) {
  const event = {
    type: "message",
    message: { type: "text", id: `4683${digits(n)}`, quoteToken: "q3Plxr4AgKd", text: TEXT },
    webhookEventId: `01FZ74A0TDDPYRVKNK${digits(n)}`,
    deliveryContext: { isRedelivery: false },
    timestamp: 1_744_914_920_000,
    source: { type: "user", userId: `U${sourceOf(n)}` },
    mode: "active",
    replyToken: "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
  };
  const body = JSON.stringify({ destination: "U0123456789abcdef0123456789abcdef", events: [event] });
  const signature = createHmac("sha256", SECRET).update(body).digest("base64");
  return httpPost("/sms", { "Content-Type": "application/json", "X-Line-Signature": signature }, body);
}

export async function start(handled) {
  const { default: express } = await import("express");
  const { middleware } = await import("@line/bot-sdk");
  return express().post("/sms", middleware({ channelSecret: SECRET }), (req, res) => {
    for (const event of req.body.events) {
      switchOn(event.message.text, handled);
      handled.add(event.message.id);
    }
    res.json({});
  });
}
