// The codes of answers (`code` of the problem) and of log lines: what happened, and what to do.
// `npm run docs` makes docs/codes.md from them.

interface Entry {
  /** What happened. */
  readonly sentence: string;
  /** What to do. */
  readonly action: string;
}

export const ANSWER_CODES = {
  "malformed-body": {
    sentence: "The body cannot be read.",
    action:
      "Compare the body in the console with the one in docs/console.md. " +
      "If it differs on purpose, declare it with `callbackProfile`. " +
      "`issues` name the keys of the provider's page that differ from the profile. " +
      'A handler of "invalid" gets the body exactly as sent, in `raw`.',
  },
  "ambiguous-body": {
    sentence: "The body can be read in several ways, since a text in it imitates the template.",
    action:
      "The router does not guess. " +
      "No text is ambiguous if the provider escapes texts, or if the profile has no `parts`.",
  },
  "body-incomplete": {
    sentence: "The body did not arrive whole, or not within `bodyTimeoutMs`.",
    action: "If it happens often, look at the network or the proxy in front of the app.",
  },
  "body-consumed": {
    sentence: "Something in the app read the body before the router was called, and discarded it.",
    action:
      "The message is lost, and no event is emitted. See KALEYRA_SMS_BODY_CONSUMED. " +
      "Afterwards, the callback can be triggered again in the console.",
  },
  "body-too-large": {
    sentence: "The body is larger than `bodyLimit`.",
    action: "Callbacks are small. Raise `bodyLimit` only if the profile has large static fields.",
  },
  "unsupported-media-type": {
    sentence: "The body is XML or multipart, or its charset or compression cannot be read.",
    action: "Choose JSON in the console as the type of the request body.",
  },
  schema: {
    sentence: "A field is missing, or has a value that the schema does not allow.",
    action:
      "`issues` name each field. Compare the profile in the console with the fields that docs/events.md lists. " +
      "A console's test, which carries no SMS, gets this answer, too: it has found the endpoint.",
  },
  "duplicate-field": {
    sentence: "A field came twice with different values.",
    action: "Remove the second one from the profile or the endpoint in the console.",
  },
  "unknown-field": {
    sentence: 'Under `escaping: "json"`, the body has a key that the profile does not declare.',
    action: "Declare the key in `callbackProfile`, or remove it in the console.",
  },
  undecryptable: {
    sentence: "`options.decrypt` threw, or returned something other than a string.",
    action: "Check the key and the mode against the console. `decrypt` must be synchronous.",
  },
  unauthorized: {
    sentence: "The caller did not meet `options.authenticate`.",
    action: 'Register `sms.on("unauthorized", ...)`: `reason` says what was missing or wrong.',
  },
  "not-found": {
    sentence: "The router does not answer this path.",
    action: "Call the path at which the router is mounted. Without Express, set `options.path`.",
  },
  "method-not-allowed": {
    sentence: "The router does not accept this method.",
    action: "Choose one of the methods in the `Allow` header.",
  },
  "handler-failed": {
    sentence: "A handler threw or rejected.",
    action: 'Register `sms.on("error", ...)` to get the error. The callback can be triggered again in the console.',
  },
  "handler-timeout": {
    sentence: "A handler did not end within `handlerTimeoutMs`.",
    action: "See KALEYRA_SMS_HANDLER_TIMEOUT.",
  },
  "not-stored": {
    sentence: "The inbox could not store the message within `storeTimeoutMs`.",
    action: 'Register `sms.on("error", ...)`: `cause` says why.',
  },
  busy: {
    sentence: "More than `maxInFlight` callbacks are in flight, or the router is closing.",
    action: "Make handlers faster, use an inbox, or raise `maxInFlight`.",
  },
  "first-callback": {
    sentence: "The first valid callback of this process came (a line for the logger's `info`).",
    action: "Compare it with what you expect: the method, the fields, the zone of `timestamp` for `options.timeZone`.",
  },
  "internal-error": {
    sentence: "The package itself failed.",
    action: "Please report it, with the class and the place that the log line names.",
  },
  "answer-failed": {
    sentence: "An answer could not be sent (log line).",
    action: "Look for other code that writes to the response.",
  },
  "inbox-failed": {
    sentence: 'The inbox failed, and no handler of "error" is registered (log line).',
    action: 'Register `sms.on("error", ...)`.',
  },
  "handler-of-invalid-failed": {
    sentence: 'A handler of "invalid" failed (log line).',
    action: "Correct the handler. The answer did not change.",
  },
  "handler-of-unauthorized-failed": {
    sentence: 'A handler of "unauthorized" failed (log line).',
    action: "Correct the handler. The answer did not change.",
  },
  "handler-of-duplicate-failed": {
    sentence: 'A handler of "duplicate" failed (log line).',
    action: "Correct the handler. The answer did not change.",
  },
  "handler-of-busy-failed": {
    sentence: 'A handler of "busy" failed (a line for the logger).',
    action: "Correct the handler. The answer did not change.",
  },
  "handler-of-error-failed": {
    sentence: 'A handler of "error" failed (log line).',
    action: "Correct the handler. The answer did not change.",
  },
  "observer-failed": {
    sentence: "Something that observes the router, such as the simulator, threw (log line).",
    action: "No callback was harmed. This is a bug in the package: please report it.",
  },
} as const satisfies Record<string, Entry>;

export type AnswerCode = keyof typeof ANSWER_CODES;
