// @slack/bolt with its own HTTP receiver, and signed Slack events.

import { createHmac } from "node:crypto";

import { PATTERNS } from "../by-hand.mjs";
import { digits, httpPost, sourceOf, TEXT } from "../callback.mjs";

const SECRET = "a-secret-of-the-benchmark";

export const signedPerSecond = 15_000;

export function request(n) {
  const now = Math.floor(Date.now() / 1_000);
  const event = {
    type: "message",
    client_msg_id: `M${digits(n)}`,
    user: `U${sourceOf(n)}`,
    text: TEXT,
    ts: `${now}.000100`,
    channel: "C0123456789",
    channel_type: "channel",
    team: "T0123456789",
    event_ts: `${now}.000100`,
  };
  const body = JSON.stringify({
    type: "event_callback",
    team_id: "T0123456789",
    api_app_id: "A0123456789",
    event,
    event_id: `Ev${digits(n)}`,
    event_time: now,
    is_ext_shared_channel: false,
  });
  const signature = createHmac("sha256", SECRET).update(`v0:${now}:${body}`).digest("hex");
  const headers = {
    "Content-Type": "application/json",
    "X-Slack-Request-Timestamp": now,
    "X-Slack-Signature": `v0=${signature}`,
  };
  return httpPost("/slack/events", headers, body);
}

export async function start(handled) {
  const { default: bolt } = await import("@slack/bolt");
  const receiver = new bolt.HTTPReceiver({ signingSecret: SECRET, logLevel: bolt.LogLevel.ERROR });
  // Given here, the authorization needs no call of Slack's API.
  const authorize = async () => ({ botToken: "xoxb-bench", botId: "B0123456789", botUserId: "U0123456789" });
  const app = new bolt.App({ receiver, authorize, logLevel: bolt.LogLevel.ERROR });
  for (const pattern of PATTERNS) app.message(pattern, async () => handled.keyword());
  app.message(async ({ message }) => handled.add(message.client_msg_id));
  return receiver.requestListener;
}
