// Stands in for the provider's API, and prints what it would send. Put your own call of the API in its place.

export function createProvider() {
  if (process.env.NODE_ENV === "production")
    throw new Error("provider.js only prints replies: put the call of your provider's API into it.");
  const sent = new Set();
  return {
    /**
     * Sends an SMS; rejects if that may have failed. Called again with the same key, it sends nothing more.
     *
     * @param signal - aborts when the handler's time is over: pass it to `fetch`
     */
    async send({ idempotencyKey, sender, receiver, text }, signal) {
      signal.throwIfAborted();
      if (sent.has(idempotencyKey)) return;
      sent.add(idempotencyKey);
      console.log(`SMS from ${sender} to ${receiver}: ${text}`);
    },
  };
}
