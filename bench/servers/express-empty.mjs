// The most that Express 5 can do: a route whose handler does nothing but answer.

import { callbackPost } from "../callback.mjs";

export const request = callbackPost;

export async function start(handled) {
  const { default: express } = await import("express");
  return express().post("/sms", (req, res) => {
    handled.addUnread();
    res.end();
  });
}
