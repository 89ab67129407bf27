// The shop's Express app: the router first, then what the rest of the shop needs.

import { randomBytes } from "node:crypto";

import express from "express";
import session from "express-session";
import helmet from "helmet";

export function createApp({ sms, inbox, log }) {
  const app = express();

  // Before all that reads or changes requests. So callbacks keep their bytes, and start no sessions.
  app.use("/sms", sms);

  // For a load balancer: 503 while no callback should come here. Its warnings, and the counts, are for a person.
  app.get("/health", async (_req, res) => {
    const health = sms.health();
    const counts = await inbox.stats().catch(() => undefined);
    res.status(health.ready ? 200 : 503).json({ ...health, inbox: counts });
  });

  app.use(helmet());
  app.use(
    session({
      secret: process.env.SESSION_SECRET ?? randomBytes(32).toString("hex"),
      resave: false,
      saveUninitialized: false,
      cookie: { sameSite: "lax", secure: "auto" },
    }),
  );
  app.use(express.json());

  app.get("/basket", (req, res) => {
    res.json(req.session.basket ?? []);
  });
  app.post("/basket", (req, res) => {
    req.session.basket = [...(req.session.basket ?? []), String(req.body?.item)];
    res.json(req.session.basket);
  });

  // The last one. Express recognizes an error handler by its four parameters.
  app.use((error, _req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    const status = error.status ?? 500;
    if (status >= 500) log.error(error);
    res.status(status).json({ error: status < 500 ? "This request cannot be read." : "Something went wrong." });
  });

  return app;
}
