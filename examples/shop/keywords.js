// What each keyword does. On `sms`, what is the same for both business numbers; on a number's scope, what is its own.

import { HELP, OPT_IN, OPT_OUT, POSSIBLE_OPT_OUT } from "express-kaleyra-sms";

export function addKeywords(sms, { numbers, consent, shop, replies }) {
  const orders = sms.recipient(numbers.orders);
  const offers = sms.recipient(numbers.offers);

  // Ends all messages, of both numbers, and gets no reply.
  sms.keyword(OPT_OUT, ({ source, message }) => {
    consent.optOut(source, message.receivedAt);
  });

  // "Why don't you stop?", and what no keyword matched: a person decides.
  sms.keyword(POSSIBLE_OPT_OUT, ({ message }) => {
    shop.putBeforeAPerson(message);
  });
  sms.on("unmatched", (message) => {
    shop.putBeforeAPerson(message);
  });

  sms.keyword(OPT_IN, async ({ source, message }, { optOut, signal }) => {
    if (optOut) return;
    await replies.reply(message, { name: "welcome", signal }, () => {
      consent.optIn(source, message.receivedAt);
      return "Welcome! You get our offers now. Text STOP to end them.";
    });
  });

  orders.keyword("TRACK", async ({ source, args: [number = ""], message }, { optOut, signal }) => {
    // A message may match TRACK and opt out: "TRACK STOP", if TRACK is a keyword of the console. Then nothing is replied.
    if (optOut) return;
    await replies.reply(message, { name: "track", signal }, () => {
      const order = shop.orderOf(source, number);
      return order === undefined
        ? "We find no such order of yours. Text TRACK and its number."
        : `Order ${order.number}: ${order.state}.`;
    });
  });

  offers.keyword("COUPON", async ({ source, message }, { optOut, signal }) => {
    if (optOut) return;
    await replies.reply(message, { name: "coupon", signal }, () => {
      // Marketing is for those who opted in.
      if (!consent.hasOptedIn(source)) return "Text START to get our offers, and then COUPON.";
      const code = shop.takeCoupon(source);
      return code === undefined ? "All coupons are taken." : `Your coupon: ${code}`;
    });
  });

  const answer =
    (text) =>
    async ({ message }, { optOut, signal }) => {
      if (!optOut) await replies.reply(message, { name: "help", signal }, () => text);
    };
  orders.keyword(HELP, answer("Text TRACK and the number of your order. Text STOP to end all messages."));
  offers.keyword(HELP, answer("Text START to get our offers, COUPON for a coupon, STOP to end all messages."));
}
