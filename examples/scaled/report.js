// What is logged of failures: a line for each failed attempt at a message, one when the inbox is away, and one when it is back.
// No line holds a number or a text of an SMS. `npm run inbox -- show KEY` shows the message of a key.

export function reportFailures(sms, log = console) {
  let isAway = false;
  const look = (why) => {
    if (sms.health().reasons.includes("inbox-unreachable") === isAway) return;
    isAway = !isAway;
    log.error(isAway ? `The inbox is out of reach: ${why}` : "The inbox is in reach again.");
  };
  // An error comes only with a callback, and none says that the inbox is back.
  setInterval(look, 1_000, "it does not answer.").unref();

  sms.on("error", ({ event, code, message, smsMessage, attempt, final }) => {
    if (event === "inbox") look(message);
    // While the inbox is away, each callback brings an error. One line is enough.
    if (event === "inbox" && isAway && code !== "KALEYRA_SMS_CUT_SHORT") return;
    const which =
      smsMessage && `Message ${smsMessage.key}, attempt ${attempt}, ${final ? "the last" : "to be retried"}: `;
    log.error(`${which ?? ""}${message}`);
  });
}
