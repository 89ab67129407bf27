// This package in front of an Express app, which gets every other path.

import { callbackPost } from "../callback.mjs";
import { router } from "./package-router.mjs";

export const request = (n) => callbackPost(n);

export async function start(handled) {
  const { default: express } = await import("express");
  const app = express().get("/", (req, res) => res.send("the app"));
  const sms = await router(handled, { path: "/sms" });
  return (req, res) => sms(req, res, () => app(req, res));
}
