// Prints how many bytes of memory a message keeps if its handler never settles, and how many each of its duplicates.
// Argument: `one` if all handlers return the same promise, otherwise `many`.

const { setImmediate } = require("node:timers");
const { incomingSms } = require("express-kaleyra-sms");

const MAX_IN_FLIGHT = 500;
const sms = incomingSms({
  authenticate: false,
  handlerTimeoutMs: 1,
  maxInFlight: MAX_IN_FLIGHT,
  logger: { warn: () => undefined, error: () => undefined },
});
const never = () => new Promise(() => undefined);
const one = never();
const handler = process.argv[2] === "one" ? () => one : never;
sms.on("message", handler).on("error", handler);

const callback = (n) => ({
  method: "GET",
  query: { id: `id-${n}`, source: `91987650${String(n).padStart(4, "0")}`, recipient: "5050", keyword: "STOP" },
});

const send = async (count, numberOf) => {
  for (let sent = 0; sent < count; sent += MAX_IN_FLIGHT / 2) {
    await Promise.all(Array.from({ length: MAX_IN_FLIGHT / 2 }, (_, n) => sms.receive(callback(numberOf(sent + n)))));
  }
};

const heap = async () => {
  for (let time = 0; time < 4; time++) {
    await new Promise(setImmediate);
    global.gc();
  }
  return process.memoryUsage().heapUsed;
};

const COUNT = 20_000;

(async () => {
  await send(2_000, (n) => n);
  await send(1_000, () => 1_999);
  const before = await heap();
  await send(COUNT, (n) => 2_000 + n);
  const stuck = await heap();
  await send(COUNT, () => 2_000 + COUNT - 1);
  const duplicated = await heap();
  await sms.close();
  const closed = await heap();
  console.log(
    JSON.stringify({
      perMessage: (stuck - before) / COUNT,
      perDuplicate: (duplicated - stuck) / COUNT,
      afterClosing: (closed - before) / COUNT,
    }),
  );
})();
