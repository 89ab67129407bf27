// Receives a message at many heights of the stack, from its end downwards. Prints the outcome of each, and of one
// message of each number after them.

const { incomingSms } = require("express-kaleyra-sms");

const [handler, numbers] = process.argv.slice(2);
const MANY = 600;
const sms = incomingSms({
  authenticate: false,
  // Some wait for it.
  handlerTimeoutMs: 500,
  maxInFlight: MANY * 4,
  logger: { warn: () => undefined, error: () => undefined },
});
const handlers = { sync: () => undefined, async: async () => undefined };
sms.on("message", handlers[handler]).on("error", () => undefined);

let unhandled = 0;
process.on("unhandledRejection", () => unhandled++);
process.emitWarning = () => undefined;

let count = 0;
const callback = (n) => {
  const source = numbers === "one" ? "919876543210" : `91987650${String(n).padStart(4, "0")}`;
  return { method: "POST", body: JSON.stringify({ id: `id-${count++}`, source, recipient: "5050", message: "hello" }) };
};
const callbacks = Array.from({ length: MANY }, (_, n) => callback(n));
const receipts = [];

const deep = () => {
  try {
    deep();
  } catch {
    // The end is reached: from here on there is more room with each step.
  }
  const next = callbacks.pop();
  if (next === undefined) return;
  try {
    receipts.push(sms.receive(next));
  } catch {
    // It could not even be called.
  }
};

(async () => {
  deep();
  const settled = await Promise.allSettled(receipts);
  const outcomes = settled.map(({ value }) => value?.outcome ?? "rejected");
  const after = [];
  for (let n = 0; n < MANY; n++) after.push((await sms.receive(callback(n))).outcome);
  await sms.close();
  const ran = outcomes.includes("handled");
  const failed = outcomes.some((outcome) => outcome === "rejected" || outcome === "failed");
  console.log(JSON.stringify({ ran, failed, then: [...new Set(after)], unhandled }));
})();
