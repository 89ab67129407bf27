// Twilio's validating middleware on Express 5, with signed incoming messages in Twilio's own form.

import { createHmac } from "node:crypto";

import { switchOn } from "../by-hand.mjs";
import { digits, httpPost, sourceOf, TEXT } from "../callback.mjs";

const TOKEN = "a-secret-of-the-benchmark";

export const signedPerSecond = 20_000;

export function request(n) {
  const fields = {
    AccountSid: "AC0123456789abcdef0123456789abcdef",
    ApiVersion: "2010-04-01",
    Body: TEXT,
    From: `+${sourceOf(n)}`,
    FromCountry: "IN",
    MessageSid: `SM0123456789abcdef01234567${digits(n)}`,
    NumMedia: "0",
    NumSegments: "1",
    SmsMessageSid: `SM0123456789abcdef01234567${digits(n)}`,
    SmsSid: `SM0123456789abcdef01234567${digits(n)}`,
    SmsStatus: "received",
    To: "+919812345678",
  };
  const sorted = Object.keys(fields).sort();
  const signed = `http://127.0.0.1/sms${sorted.map((name) => name + fields[name]).join("")}`;
  const signature = createHmac("sha1", TOKEN).update(signed).digest("base64");
  const headers = { "Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature };
  return httpPost("/sms", headers, new URLSearchParams(fields).toString());
}

export async function start(handled) {
  const { default: express } = await import("express");
  const { default: twilio } = await import("twilio");
  return express().post("/sms", express.urlencoded({ extended: false }), twilio.webhook(TOKEN), (req, res) => {
    switchOn(req.body.Body, handled);
    handled.add(req.body.MessageSid);
    res.type("text/xml").send(new twilio.twiml.MessagingResponse().toString());
  });
}
