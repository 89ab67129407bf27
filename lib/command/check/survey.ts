// The way through all lines of `check`: what is asked first, what depends on it, and what ends it early.

import { access } from "./access.js";
import { answers, duplicates, notShown } from "./answers.js";
import type { Asked } from "./asked.js";
import type { Callbacks } from "./callbacks.js";
import type { Endpoint } from "./endpoint.js";
import { hostileGets, hostilePosts } from "./hostile.js";
import { HOLDS, isAccepted, seenIn, silent, type Finding, type Line } from "./line.js";
import { readingGets, readingPosts } from "./reading.js";
import { methods, refusingGets, refusingPosts } from "./refusing.js";
import { secretsOf } from "./shown.js";

interface SurveyOptions {
  readonly callbacks: Callbacks;
  /** Whether the provider is known to escape. */
  readonly escapes: boolean;
}

/** Asks line after line. An endpoint that accepts no callback at all is asked no more than that. */
export async function survey(endpoint: Endpoint, asked: Asked, { callbacks, escapes }: SurveyOptions): Promise<void> {
  const method = callbacks.profile?.method;
  const post = method === "GET" ? NOT_TAKEN : await asked.ask("Callbacks by POST", first("POST", callbacks));
  const takesPost = post === HOLDS;
  if (!takesPost && post !== NOT_TAKEN) return;
  if (takesPost) await asked.askAll(readingPosts(callbacks, escapes));
  const get = method === "POST" ? NOT_TAKEN : await asked.ask("Callbacks by GET", first("GET", callbacks));
  const takesGet = get === HOLDS;
  if (!takesPost && !takesGet) {
    if (get === NOT_TAKEN) asked.correctLast(NEITHER_TAKEN);
    return;
  }
  if (takesGet) await asked.askAll(readingGets(callbacks));

  const byPost = takesPost ? [() => callbacks.post()] : [];
  const byGet = takesGet ? [() => callbacks.get()] : [];
  await asked.askAll(access(callbacks, [...byPost, ...byGet], endpoint.shown));
  await asked.askAll(duplicates(...byPost, ...byGet));
  if (takesPost) await asked.askAll(refusingPosts(callbacks));
  if (takesGet) await asked.askAll(refusingGets(callbacks));
  await asked.askAll(methods());
  if (takesGet) await asked.askAll(hostileGets(callbacks));
  if (takesPost) await asked.askAll(hostilePosts(callbacks));
  await asked.lookOnceMore();
  await asked.askAll(answers(callbacks, secretsOf(endpoint.shown)));
  await asked.askAll(notShown(callbacks));
}

const NOT_TAKEN: Finding = {
  result: "not proven",
  seen: "answered 405",
  next: "The endpoint does not take this method: choose the other one in the console.",
};

const NEITHER_TAKEN: Finding = {
  result: "fails",
  seen: "answered 405",
  next: "The endpoint takes no method of the provider's: look at its path, and at the methods that it takes.",
};

const CLOSED = "Look at the log of your app, and at the address: is it https in place of http, or the other way round?";

function first(method: "GET" | "POST", callbacks: Callbacks): Line {
  return {
    name: `accepts a callback by ${method}`,
    ask: async (endpoint) => {
      const outcome = await endpoint.ask(method === "POST" ? callbacks.post() : callbacks.get());
      if (outcome === "closed") return { ...silent(outcome), next: CLOSED };
      if (typeof outcome === "string") return silent(outcome);
      const { status } = outcome;
      if (isAccepted(status)) return HOLDS;
      return status === 405 ? NOT_TAKEN : { result: "fails", seen: seenIn(outcome), next: adviceFor(status, method) };
    },
  };
}

function adviceFor(status: number, method: "GET" | "POST"): string {
  if (status === 401 || status === 403)
    return "Show what the endpoint demands: --header, --query, --basic or --bearer.";
  if (status >= 300 && status < 400)
    return "It redirects, and a redirect turns a POST into a GET without a body: enter the URL to which it leads.";
  if (status === 404 && method === "POST")
    return "Look at the path: URL is the address at which the router is mounted.";
  if (status === 404) return "Answer 405 with Allow if you take POST only, so that a wrong method is seen to be that.";
  if (status >= 500) return "Look at the log of your app.";
  return (
    "If your app declares a profile, give it: --profile FILE. " +
    "Otherwise look at the answer: express-kaleyra-sms send prints it."
  );
}
