// This package with the handlers that every server here has: three kinds of keywords, and one for each message.

export async function router(handled, options) {
  const { incomingSms, HELP, OPT_IN, OPT_OUT } = await import("express-kaleyra-sms");
  return incomingSms(options)
    .keyword(OPT_OUT, () => handled.keyword())
    .keyword(OPT_IN, () => handled.keyword())
    .keyword(HELP, () => handled.keyword())
    .on("message", (message) => handled.add(message.id));
}
