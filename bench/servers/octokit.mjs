// @octokit/webhooks on node:http, with signed GitHub deliveries.

import { createHmac } from "node:crypto";

import { switchOn } from "../by-hand.mjs";
import { httpPost, idOf, sourceOf, TEXT } from "../callback.mjs";

const SECRET = "a-secret-of-the-benchmark";

export const signedPerSecond = 60_000;

export function request(n) {
  const body = JSON.stringify({
    action: "created",
    issue: { id: 1, number: 42, title: "Incoming message", state: "open", user: { login: "octocat" } },
    comment: { id: n, body: TEXT, user: { login: sourceOf(n) }, created_at: "2025-04-17T18:35:20Z" },
    repository: { id: 2, name: "callbacks", full_name: "octocat/callbacks", private: false },
    sender: { login: "octocat", id: 3, type: "User" },
  });
  const signature = createHmac("sha256", SECRET).update(body).digest("hex");
  const headers = {
    "Content-Type": "application/json",
    "X-GitHub-Event": "issue_comment",
    "X-GitHub-Delivery": idOf(n),
    "X-Hub-Signature-256": `sha256=${signature}`,
  };
  return httpPost("/api/github/webhooks", headers, body);
}

export async function start(handled) {
  const { createNodeMiddleware, Webhooks } = await import("@octokit/webhooks");
  const webhooks = new Webhooks({ secret: SECRET });
  webhooks.on("issue_comment.created", ({ id, payload }) => {
    switchOn(payload.comment.body, handled);
    handled.add(id);
  });
  return createNodeMiddleware(webhooks);
}
