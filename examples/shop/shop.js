// Orders, coupons, and the texts that a person should read.

export function createShop(database) {
  const findOrder = database.prepare("SELECT number, state FROM orders WHERE number = ? AND source = ?");
  const takeCoupon = database.prepare(`
    UPDATE coupon SET source = ? WHERE code = (SELECT code FROM coupon WHERE source IS NULL ORDER BY code LIMIT 1)
    RETURNING code`);
  const review = database.prepare(
    "INSERT OR IGNORE INTO review (message_key, source, text, received_at) VALUES (?, ?, ?, ?)",
  );
  const addOrder = database.prepare("INSERT OR IGNORE INTO orders (number, source, state) VALUES (?, ?, ?)");
  const addCoupon = database.prepare("INSERT OR IGNORE INTO coupon (code) VALUES (?)");

  return {
    /** Only the subscriber's own: a guessed number reveals nothing. */
    orderOf: (source, number) => findOrder.get(number, source),
    /** The code of a coupon that nobody has; `undefined` if all are taken. */
    takeCoupon: (source) => takeCoupon.get(source)?.code,
    /** Once for each message, also if its handler is retried. `npm run review` lists them. */
    putBeforeAPerson: ({ key, source, text, parts, receivedAt }) =>
      review.run(key, source, text ?? parts.join(" "), receivedAt),
    addOrder: (number, source, state) => addOrder.run(number, source, state),
    addCoupon: (code) => addCoupon.run(code),
  };
}
