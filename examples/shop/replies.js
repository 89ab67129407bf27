// Replies that are sent again when they fail, and never twice: an outbox.

export function createReplies({ database, consent, provider }) {
  const find = database.prepare("SELECT sender, receiver, text, state FROM reply WHERE message_key = ? AND name = ?");
  const insert = database.prepare(`
    INSERT INTO reply (message_key, name, sender, receiver, text, state) VALUES (?, ?, ?, ?, ?, 'to send')`);
  const mark = database.prepare("UPDATE reply SET state = ? WHERE message_key = ? AND name = ?");

  /** Both or neither: a handler that is retried finds the row, and changes nothing a second time. */
  const write = database.transaction(({ key, source, recipient }, name, change) => {
    if (find.get(key, name) === undefined) insert.run(key, name, recipient, source, change());
  });

  async function send({ key }, name, signal) {
    const { sender, receiver, text, state } = find.get(key, name);
    if (state !== "to send") return;
    // Asked before each reply, since the subscriber may have opted out while it could not be sent.
    if (consent.hasOptedOut(receiver)) {
      mark.run("withheld", key, name);
      return;
    }
    // The same key each time. So nothing is sent twice if the answer, or this process, is lost before the row says "sent".
    await provider.send({ idempotencyKey: `${key}:${name}`, sender, receiver, text }, signal);
    mark.run("sent", key, name);
  }

  return {
    /**
     * Makes a change, and replies to the message with the text that `change` returns. Rejects if the reply could not be
     * sent: the handler then fails, and the inbox retries it.
     *
     * @param name - tells the replies to one message apart
     * @param change - runs once for the message, in the transaction that writes the reply
     */
    async reply(message, { name, signal }, change) {
      write(message, name, change);
      await send(message, name, signal);
    },
  };
}
