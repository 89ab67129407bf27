// The simulator: a page that sends SMS to a router as the provider would, and shows what becomes of them.

import type { IncomingMessage, ServerResponse } from "node:http";

import { nameOf } from "../base/thrown.js";
import type { IncomingRequest, Listener, Next } from "../http/requests.js";
import { stateOf } from "../pipeline/router-state.js";
import type { IncomingSms } from "../router.js";
import { ASSETS, readAssets } from "./assets.js";
import { readDraft, Refused } from "./draft.js";
import { EventStream } from "./event-stream.js";
import { Feed } from "./feed.js";
import { createInboxCounts } from "./inbox-counts.js";
import { answerEvent, createObserver } from "./observe.js";
import { resourceOf } from "./resource.js";
import { HEADERS, sendJson, sendText } from "./respond.js";
import { createSending } from "./sending.js";
import { readSimulatorOptions, type SimulatorOptions } from "./simulator-options.js";
import { createRefuse } from "./visitor.js";
import type { Hello } from "./wire.js";

/** The simulator: a function for `app.use` or `http.createServer`. */
export interface Simulator extends Listener {
  /** Ends the connections of open pages, so that the server can close. `sms.close()` calls it. */
  close(): void;
}

/**
 * Makes a page for development: type a text, send it to the router as the provider would, over HTTP, and watch its
 * events. The page observes the router, and is no handler: log lines and warnings stay as they are without it.
 *
 * Only a browser on the same machine may open it, and not through a proxy.
 *
 * @param sms - the router; `undefined` if it is in another process: the page then shows the answers only
 * @throws TypeError if the argument is not a router, or an option is unknown or has a wrong value
 * @throws TypeError under `NODE_ENV=production`, unless `allowInProduction` is `true`
 * @example
 * app.use("/sms", sms);
 * if (process.env.NODE_ENV !== "production") app.use("/simulator", simulator(sms, { target: "/sms" }));
 */
export function simulator(sms: IncomingSms | undefined, options: SimulatorOptions): Simulator {
  const state = sms === undefined ? undefined : stateOf(sms, "simulator");
  const settings = readSimulatorOptions(options, state !== undefined);
  const { target } = settings;
  const refuse = createRefuse(settings);
  const assets = readAssets();
  const feed = new Feed();
  const streams = new Set<EventStream>();
  const counts = createInboxCounts(state?.inbox, (event) => streams.forEach((stream) => stream.sendInbox(event)));
  const sending = createSending(
    { ...settings, profile: state?.profile, timeZone: state?.timeZone },
    (request, answered) => {
      if (state === undefined) feed.push("callback", answerEvent(request, answered));
    },
  );
  const profileHeaders = Object.keys(state?.profile?.headers ?? {});
  const hello: Hello = {
    target: `${target.server?.origin ?? ""}${target.path}`,
    hasRouter: state !== undefined,
    methods: state?.methods ?? ["GET", "POST"],
    escaped: state?.escaping !== "none",
    headers: [...new Set([...profileHeaders, ...Object.keys(settings.headers)])],
  };
  let isClosed = false;
  const close = (): void => {
    isClosed = true;
    counts.stop();
    streams.forEach((stream) => stream.end());
  };
  state?.observe(createObserver(feed, close));

  const openStream = (req: IncomingMessage, res: ServerResponse): void => {
    if (isClosed) {
      // After an answer, the browser would not try again when the server is back.
      res.destroy();
      return;
    }
    res.writeHead(200, { ...HEADERS, "Content-Type": "text/event-stream; charset=utf-8" });
    if (req.method === "HEAD") {
      res.end();
      return;
    }
    const stream = new EventStream(req, res, feed, hello);
    streams.add(stream);
    counts.watch();
    res.once("close", () => {
      streams.delete(stream);
      if (streams.size === 0) counts.stop();
    });
  };

  const answerDraft = async (req: IncomingRequest, res: ServerResponse, what: "preview" | "send"): Promise<void> => {
    const draft = await readDraft(req);
    if (draft instanceof Refused) sendJson(res, draft.status, { detail: draft.detail });
    else sendJson(res, 200, await sending[what](req, draft));
  };

  const answer = (req: IncomingRequest, res: ServerResponse, next: Next | undefined): void => {
    const resource = resourceOf(req, next);
    if (resource === "other") {
      if (next === undefined) sendText(res, 404, "The simulator has nothing at this path.");
      else next();
      return;
    }
    const refusal = refuse(req);
    if (refusal !== undefined) {
      sendText(res, 403, refusal);
      return;
    }
    if (typeof resource === "object") {
      res.writeHead(302, { ...HEADERS, Location: resource.redirect }).end();
      return;
    }
    const takesPost = resource === "preview" || resource === "send";
    if (takesPost ? req.method !== "POST" : req.method !== "GET" && req.method !== "HEAD") {
      res.setHeader("Allow", takesPost ? "POST" : "GET, HEAD");
      sendText(res, 405, `Use ${takesPost ? "POST" : "GET"}.`);
      return;
    }
    if (resource === "events") openStream(req, res);
    else if (resource === "preview" || resource === "send") {
      answerDraft(req, res, resource).catch((error: unknown) => {
        const detail = error instanceof TypeError ? error.message : `The request failed: ${nameOf(error)}.`;
        sendJson(res, 400, { detail });
      });
    } else res.writeHead(200, { ...HEADERS, "Content-Type": ASSETS[resource] }).end(assets[resource]);
  };
  const listener: Listener = (req, res, next) => answer(req as IncomingRequest, res as ServerResponse, next);
  return Object.assign(listener, { close });
}
