// From what the page asks to what is sent, and back: the requests, shown, and their answers.

import type { IncomingMessage } from "node:http";

import { compose, type ComposeSettings } from "./compose.js";
import { addressed, sendRequest, serverAt, serverOf } from "./http-client.js";
import { show, type WireRequest } from "./show.js";
import type { Answered, Draft, Preview, Sent } from "./wire.js";

interface Sending {
  /** Shows what would be sent. @throws TypeError if the profile has no variable for what is asked */
  preview(req: IncomingMessage, draft: Draft): Preview;
  /** Sends it, and waits for all answers. Rejects with the same. */
  send(req: IncomingMessage, draft: Draft): Promise<Sent>;
}

/** @param onAnswer - called with each answer, as soon as it is there */
export function createSending(
  settings: ComposeSettings,
  onAnswer: (request: WireRequest, answered: Answered) => void,
): Sending {
  const { target } = settings;
  const plan = (req: IncomingMessage, draft: Draft) => {
    const server = target.server === undefined ? serverOf(req) : serverAt(target.server);
    const { requests, atOnce, ...remarks } = compose(draft, settings);
    return { server, atOnce, remarks, requests: requests.map((request) => addressed(request, server)) };
  };
  return {
    preview: (req, draft) => {
      const { requests, remarks } = plan(req, draft);
      return { requests: requests.map(show), ...remarks };
    },
    send: async (req, draft) => {
      const { requests, remarks, server, atOnce } = plan(req, draft);
      const sendOne = async (request: WireRequest): Promise<Answered> => {
        const answered = await sendRequest(request, server);
        onAnswer(request, answered);
        return answered;
      };
      const answers: Answered[] = [];
      if (atOnce) answers.push(...(await Promise.all(requests.map(sendOne))));
      else for (const request of requests) answers.push(await sendOne(request));
      return { requests: requests.map(show), ...remarks, answers };
    },
  };
}
