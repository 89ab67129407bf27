// A handler as it is written by hand in five minutes: what `check` finds in it is what such handlers lack.

import express, { type ErrorRequestHandler, type Express } from "express";

interface NaiveApp {
  readonly app: Express;
  /** The ids of the callbacks that it handled. */
  readonly handled: string[];
}

export function naiveApp(): NaiveApp {
  const handled: string[] = [];
  const app = express();
  app.use(express.json());
  app.post("/sms", (req, res) => {
    const { id, source, message } = req.body as Record<"id" | "source" | "message", string>;
    const [word = ""] = message.trim().split(" ");
    handled.push(word.toUpperCase() === "STOP" ? `stop ${source}` : id);
    res.send(`Thank you, ${source}! We have your message: ${message}`);
  });
  const answerWithTheError: ErrorRequestHandler = (error: Error, _req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    res.status(500).send(error.stack);
  };
  app.use(answerWithTheError);
  return { app, handled };
}
