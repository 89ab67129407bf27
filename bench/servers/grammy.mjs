// grammY on Express 5, with Telegram updates and the secret token that Telegram sends along.

import { PATTERNS } from "../by-hand.mjs";
import { digits, httpPost, sourceOf, TEXT } from "../callback.mjs";

const SECRET = "a-secret-of-the-benchmark";

export function request(n) {
  const subscriber = {
    id: Number(sourceOf(n)),
    is_bot: false,
    first_name: "Sub",
    last_name: "Scriber",
    username: "sub",
  };
  const body = JSON.stringify({
    update_id: Number(`1${digits(n)}`),
    message: {
      message_id: Number(`1${digits(n)}`),
      from: { ...subscriber, language_code: "en" },
      chat: { ...subscriber, type: "private" },
      date: 1_744_914_920,
      text: TEXT,
    },
  });
  return httpPost("/sms", { "Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": SECRET }, body);
}

export async function start(handled) {
  const { default: express } = await import("express");
  const { Bot, webhookCallback } = await import("grammy");
  // Given here, the bot's own description needs no call of Telegram's API.
  const botInfo = { id: 1, is_bot: true, first_name: "Bench", username: "bench_bot" };
  const bot = new Bot("1:bench", { botInfo });
  for (const pattern of PATTERNS) {
    bot.hears(pattern, (context, next) => {
      handled.keyword();
      return next();
    });
  }
  bot.on("message:text", (context) => handled.add(String(context.update.update_id)));
  return express().post("/sms", express.json(), webhookCallback(bot, "express", { secretToken: SECRET }));
}
