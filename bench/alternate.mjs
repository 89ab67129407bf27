// The load of pairs.mjs: sends to one server for some time, waits for what is still out, and then to the other.

import { keepSending } from "./connection.mjs";

const CONNECTIONS = 64;

const { server, options } = JSON.parse(process.argv[2]);
const { request } = await import(`./servers/${server}.mjs`);

/** The connections to one server. They are kept while another is sent to. */
class Sender {
  #sent = 0;
  #refused = 0;
  #answered = 0;
  #isOver = true;
  #waiting = [];
  #allWait = () => undefined;

  constructor(port) {
    const next = (resume) => {
      // Every request of a server has an id of its own.
      if (!this.#isOver) return request(this.#sent++, options);
      if (this.#waiting.push(resume) === CONNECTIONS) this.#allWait();
      return null;
    };
    const onAnswer = (status) => {
      this.#answered++;
      if (status < 200 || status > 299) this.#refused++;
    };
    this.connected = this.#untilAllWait();
    for (let n = 0; n < CONNECTIONS; n++) void keepSending(port, next, onAnswer);
  }

  async send(ms) {
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

  #untilAllWait() {
    return new Promise((resolve) => (this.#allWait = resolve));
  }
}

const senders = new Map();

process.on("message", async ({ port, ms }) => {
  const sender = senders.get(port) ?? new Sender(port);
  senders.set(port, sender);
  await sender.connected;
  process.send(await sender.send(ms));
});
process.on("disconnect", () => process.exit());

/** Never sleeps: the server would pay for waking this process. */
function turn() {
  setImmediate(turn);
}
turn();
