// The most that node:http can do with a body: read it whole and JSON.parse it.

import { callbackPost } from "../callback.mjs";

export const request = callbackPost;

export function start(handled) {
  return (req, res) => {
    const chunks = [];
    req.on("data", (chunk) => chunks.push(chunk));
    req.on("end", () => {
      handled.add(JSON.parse(Buffer.concat(chunks).toString()).id);
      res.end();
    });
  };
}
