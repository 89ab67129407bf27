// The process that sends as much as a server answers: to one server for a moment, until all is answered, then on.

import { keepSending } from "./connection.mjs";

const CONNECTIONS = 64;

const { isSleepless } = JSON.parse(process.argv[2]);

/** The connections to one server. They are kept while another is sent to. */
class Sender {
  #port;
  #source;
  #options;
  #signed = [];
  #sent = 0;
  #refused = 0;
  #answered = 0;
  #isOver = true;
  #waiting = [];
  #allWait = () => undefined;

  constructor(port, source, options) {
    this.#port = port;
    this.#source = source;
    this.#options = options;
    this.connected = this.#untilAllWait();
    const next = (resume) => {
      if (!this.#isOver) return this.#nextRequest();
      if (this.#waiting.push(resume) === CONNECTIONS) this.#allWait();
      return null;
    };
    const onAnswer = (status) => {
      this.#answered++;
      if (status < 200 || status > 299) this.#refused++;
    };
    for (let n = 0; n < CONNECTIONS; n++) void keepSending(port, next, onAnswer);
  }

  async send(ms) {
    this.#sign(ms);
    this.#isOver = false;
    this.#answered = 0;
    const begun = performance.now();
    for (const resume of this.#waiting.splice(0)) resume();
    await new Promise((resolve) => setTimeout(resolve, ms));
    const perSecond = (this.#answered * 1_000) / (performance.now() - begun);
    this.#isOver = true;
    await this.#untilAllWait();
    return { perSecond, answered: this.#answered, refused: this.#refused };
  }

  /** Signing costs more than sending, so that it is done before the clock starts. */
  #sign(ms) {
    const { signedPerSecond = 0, request } = this.#source;
    const most = Math.ceil((signedPerSecond * ms) / 1_000);
    while (this.#signed.length < most) this.#signed.unshift(request(this.#sent++, this.#options));
  }

  /** Every request of a server has an id of its own. */
  #nextRequest() {
    const { signedPerSecond, request } = this.#source;
    if (signedPerSecond === undefined) return request(this.#sent++, this.#options);
    const signed = this.#signed.pop();
    if (signed === undefined) throw new Error(`Too few requests a second are signed for port ${this.#port}.`);
    return signed;
  }

  #untilAllWait() {
    return new Promise((resolve) => (this.#allWait = resolve));
  }
}

const senders = new Map();

process.on("message", async ({ port, server, options, ms }) => {
  const sender = senders.get(port) ?? new Sender(port, await import(`./servers/${server}.mjs`), options);
  senders.set(port, sender);
  await sender.connected;
  process.send(await sender.send(ms));
});
process.on("disconnect", () => process.exit());

/** A load that sleeps costs the server the waking of it. */
function turn() {
  setImmediate(turn);
}
if (isSleepless) turn();
