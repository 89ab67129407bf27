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

app.get("/opted-out", (_req, res) => {
  res.json([...optedOut]);
});

app.post("/echo", (req, res) => {
  res.json(req.body);
});
