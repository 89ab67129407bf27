// The process that sends at a steady pace: callbacks, and requests to another route of the app.

import { keepSending } from "./connection.mjs";
import { sharedNow } from "./handled.mjs";

const CONNECTIONS = 32;
const TICK_MS = 1;
const OTHER_ROUTE = "GET /other HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/** Requests of one kind to one server, each on a connection that is free, or as soon as one is. */
class Lane {
  #due = [];
  #free = [];
  #sent = 0;
  #took = [];
  #refused = 0;

  constructor(port, request) {
    for (let n = 0; n < CONNECTIONS; n++) {
      let begun;
      const next = (resume) => {
        begun = this.#due.shift();
        if (begun !== undefined) return request(this.#sent++);
        this.#free.push(resume);
        return null;
      };
      const onAnswer = (status) => {
        this.#took.push(performance.now() - begun);
        if (status < 200 || status > 299) this.#refused++;
      };
      void keepSending(port, next, onAnswer);
    }
  }

  /** The time of a request begins now, whether or not a connection is free. */
  send(count) {
    for (let n = 0; n < count; n++) {
      this.#due.push(performance.now());
      this.#free.pop()?.();
    }
  }

  /** How long each took, in milliseconds, and how many were refused; when all are answered. */
  async take(count) {
    while (this.#took.length < count) await wait(TICK_MS);
    return { took: this.#took.splice(0), refused: this.#refused };
  }
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const lanes = new Map();

async function lanesOf({ port, server, options }) {
  const { request } = await import(`./servers/${server}.mjs`);
  const times = [];
  const callbacks = new Lane(port, (n) => {
    times.push([n, sharedNow()]);
    return request(n, options);
  });
  return { callbacks, others: new Lane(port, () => OTHER_ROUTE), times };
}

process.on("message", async (question) => {
  const { port, ms, callbacksPerSecond, othersPerSecond } = question;
  if (!lanes.has(port)) lanes.set(port, await lanesOf(question));
  const { callbacks, others, times } = lanes.get(port);
  const begun = performance.now();
  const sent = { callbacks: 0, others: 0 };
  for (let elapsed = 0; elapsed < ms; elapsed = performance.now() - begun) {
    const due = (perSecond) => Math.ceil((elapsed * perSecond) / 1_000);
    callbacks.send(due(callbacksPerSecond) - sent.callbacks);
    others.send(due(othersPerSecond) - sent.others);
    sent.callbacks = due(callbacksPerSecond);
    sent.others = due(othersPerSecond);
    await wait(TICK_MS);
  }
  const [{ refused }, other] = [await callbacks.take(sent.callbacks), await others.take(sent.others)];
  process.send({
    answered: sent.callbacks,
    refused: refused + other.refused,
    others: other.took,
    times: times.splice(0),
  });
});
process.on("disconnect", () => process.exit());
