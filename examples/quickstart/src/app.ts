// An Express app as you may have it, with its own routes and its own body parser. What is new is the one line that mounts the router.

import express from "express";
import { simulator } from "express-kaleyra-sms/simulator";

import { optedOut, sms } from "./sms.js";

export const app = express();

// Before express.json(): the router reads the body itself, exactly as sent.
app.use("/sms", sms);

// A page on which you type SMS. It is for development: it shows what was sent, and sends with your secret.
if (process.env.NODE_ENV !== "production") {
  const headers = { "X-Callback-Token": process.env.CALLBACK_TOKEN };
  app.use("/simulator", simulator(sms, { target: "/sms", headers }));
}

app.use(express.json());

app.get("/", (_req, res) => {
  res.send("The app's own page.");
});

// For a load balancer: 503 while no callback should come here.
app.get("/health", (_req, res) => {
  const health = sms.health();
  res.status(health.ready ? 200 : 503).json(health);
});

app.get("/opted-out", (_req, res) => {
  res.json([...optedOut]);
});

app.post("/echo", (req, res) => {
  res.json(req.body);
});
