// The factory: takes the options, and connects the modules in the order in which a callback passes through them.

import { createAuthorize } from "./access/authorize.js";
import { Answers, type Receipt } from "./answer/receipt.js";
import { createLog } from "./base/log.js";
import { isLookedAtOnly } from "./base/looked-at-only.js";
import { within } from "./base/observation.js";
import { nameOf } from "./base/thrown.js";
import { TimeLimit } from "./base/time-limit.js";
import { createDecryptFields } from "./callback/decrypt.js";
import { checkedCallback, createReadCallback, type Callback } from "./callback/read-callback.js";
import { instantIn } from "./callback/triggered-at.js";
import { phoneNumberIn, recipientsOf } from "./callback/phone-number.js";
import { createValidate } from "./callback/validate.js";
import { Dispatcher } from "./handlers/dispatcher.js";
import type { MessageEvent, SmsEvent } from "./handlers/events.js";
import { Registry } from "./handlers/registry.js";
import { registers, type Registers, type Scope } from "./handlers/scope.js";
import { Capacity } from "./http/capacity.js";
import { withinLimit } from "./http/chunks.js";
import { createFetch, type FetchOptions } from "./http/fetch.js";
import { createListener } from "./http/listener.js";
import type { Listener } from "./http/requests.js";
import { createStages } from "./http/stages.js";
import { Reach } from "./inbox/reach.js";
import { readOptions, type IncomingSmsOptions } from "./options.js";
import { createAdmit } from "./pipeline/admit.js";
import { adviseOnSetUp, createAdvise } from "./pipeline/advice.js";
import { createInMemory } from "./pipeline/in-memory.js";
import { createMatchesOf } from "./pipeline/matches-of.js";
import { Closing, type CloseOptions } from "./pipeline/closing.js";
import { Observers } from "./pipeline/observer.js";
import { createReceive } from "./pipeline/receive.js";
import { STATE, type RouterState } from "./pipeline/router-state.js";
import { createThroughInbox } from "./pipeline/through-inbox.js";
import { createChannels } from "./watch/channels.js";
import { healthOf, type Health } from "./watch/health.js";

/**
 * A router that receives incoming SMS: a function for `app.use`, a route or `http.createServer`, with methods to
 * register handlers. These methods return the router, so calls can be chained.
 */
export interface IncomingSms extends Listener, Registers<SmsEvent> {
  /**
   * Registers handlers for the messages of one business number, or of several. The router's handlers run as well. The
   * longest keyword of both wins, and a keyword of both is one match.
   *
   * @throws TypeError if a number is not a string, or is empty
   * @example
   * sms.keyword(OPT_OUT, ({ source }) => optOut(source));
   * sms.recipient("+919812345678").keyword("JOIN", ({ source }) => joinClub(source));
   * sms.recipient("5050").keyword("JOIN", ({ source }) => joinNewsletter(source));
   */
  recipient(numbers: string | readonly string[]): Scope;
  /**
   * Answers a `Request` of the web, as Next.js, Hono, Bun and Deno give it: whatever its path, and with the same
   * checks.
   *
   * A `Request` has no address. With `allow`, pass the caller's as `ip`: without it, the caller is rejected. A function
   * in `authenticate` gets the `Request`.
   *
   * @throws TypeError if the argument is not a `Request`
   * @example
   * export const POST = (request: Request) => sms.fetch(request); // app/sms/route.ts of Next.js
   */
  fetch(request: Request, options?: FetchOptions): Promise<Response>;
  /**
   * Receives a callback without HTTP, for instance from a queue or in a test. It passes through the same pipeline, and
   * the promise resolves with the receipt, also if the callback is invalid.
   *
   * @throws TypeError if the argument does not have the form of a callback
   * @example
   * const body = { id: "1", source: "919876543210", recipient: "919812345678", message: "STOP" };
   * const { outcome } = await sms.receive({ method: "POST", body });
   */
  receive(callback: Callback): Promise<Receipt>;
  /**
   * Whether callbacks should be sent here, and what a person should look at. It asks nobody: what is known of the inbox
   * is at most one `leaseMs` old. For the probe of a load balancer.
   *
   * @example
   * app.get("/health", (_req, res) => {
   *   const health = sms.health();
   *   res.status(health.ready ? 200 : 503).json(health);
   * });
   */
  health(): Health;
  /**
   * Ends the router. At once, `health()` is not ready. For `drainMs`, the router answers and handles as before. Then it
   * answers 503, and waits for the callbacks in flight, at most one `handlerTimeoutMs`. The remaining ones are
   * answered, or released to the inbox. After that, the router does not keep the process alive. Your server is yours to
   * close.
   *
   * A second call can make the draining shorter: `sms.close()` ends it.
   *
   * @throws TypeError (the promise rejects) if an option is unknown or has a wrong value
   * @example
   * process.once("SIGTERM", async () => {
   *   await sms.close({ drainMs: 10_000 }); // while the load balancer still sends callbacks
   *   server.close();
   * });
   */
  close(options?: CloseOptions): Promise<void>;
  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a router for incoming SMS.
 *
 * @throws TypeError if an option is unknown or has a wrong value
 * @example
 * const sms = incomingSms();
 * sms.keyword(OPT_OUT, ({ message }) => optOut(message.source));
 * app.use("/sms", sms);
 */
export function incomingSms(options: IncomingSmsOptions = {}): IncomingSms {
  const settings = readOptions(options);
  const { profile } = settings;
  const log = createLog(settings.logger);
  adviseOnSetUp(settings, log);
  const answers = new Answers(settings.ack, settings.problems);
  const capacity = new Capacity(settings.maxInFlight);
  const limit = new TimeLimit(settings.handlerTimeoutMs);
  const registry = new Registry(log);
  const phoneNumber = phoneNumberIn(settings.defaultCountry);
  const observers = new Observers(
    createChannels(() => sms),
    (cause) => log.error("observer-failed", `An observer threw: ${nameOf(cause)}.`),
  );
  const reach = settings.inbox && new Reach(settings.inbox);
  const dispatcher = new Dispatcher({ registry, limit, log, describe: settings.describeFailure, observers });
  const delivery =
    settings.inbox === undefined || reach === undefined
      ? createInMemory(settings, {
          dispatcher,
          limit,
          log,
          duplicates: {
            enter: () => capacity.move("handling", "duplicate"),
            leave: () => capacity.handleAgain(),
          },
        })
      : createThroughInbox(settings.inbox, settings, {
          registry,
          dispatcher,
          limit,
          reach,
          observers,
          isClosing: () => capacity.isClosed,
        });
  const authorize = settings.authenticate ? createAuthorize(settings.authenticate, limit, log) : () => undefined;
  const admit = createAdmit(authorize, dispatcher, answers, log);
  const validate = createValidate(settings.schema, profile && new Set(profile.fields));
  const reading = {
    template: profile?.template,
    escaping: settings.escaping,
    phoneNumber,
    instantOf: settings.timeZone === undefined ? undefined : instantIn(settings.timeZone),
    hidden: settings.authenticate ? [...settings.authenticate.variables.keys()] : [],
    decryptFields: settings.decrypt && createDecryptFields(settings.decrypt, log),
    takesPost: settings.methods.includes("POST"),
  };
  const pipeline = createReceive({
    read: createReadCallback(validate, reading),
    handleOrStore: delivery.handleOrStore,
    dispatcher,
    answers,
    advise: createAdvise(log),
    turnAway: admit.turnAway,
    acknowledgeFailures: settings.acknowledgeFailures,
    log,
  });
  const stages = createStages({ ...settings, capacity, admit, receive: pipeline, answers, observers, log });
  const closing = new Closing({
    begin: () => observers.ofEvents?.closing?.(),
    // Waits one handlerTimeoutMs in all. Handlers that still run are then aborted; an inbox gets their messages back.
    close: async () => {
      const drained = capacity.close().then(() => delivery.drain());
      await limit.wait(drained);
      limit.expire();
      await delivery.end(drained);
    },
  });
  const isClosing = (): boolean => closing.hasBegun;
  const listener = createListener(stages, { ...settings, answers, isClosing, log });
  const state: RouterState = {
    methods: settings.methods,
    profile,
    escaping: settings.escaping,
    inbox: settings.inbox,
    timeZone: settings.timeZone,
    isIdle: () => capacity.isEmpty && dispatcher.isIdle,
    takesOut: () => settings.concurrency > 0 && registry.isListening,
    observe: (observer) => observers.add(observer),
    matchesOf: createMatchesOf({
      registry,
      createRead: () => createReadCallback(validate, { ...reading, decryptFields: undefined }),
    }),
    recipients: () => registry.recipients,
  };
  if (isLookedAtOnly()) void capacity.close();
  const receiveChecked = async (callback: Callback): Promise<Receipt> => {
    if (!capacity.enter("handling")) return admit.turnAway(capacity.isClosed ? "closing" : "capacity", callback.method);
    try {
      return await delivery.receive(() => pipeline(withinLimit(callback, settings.bodyLimit)));
    } finally {
      capacity.leave("handling");
    }
  };

  const sms: IncomingSms = Object.assign(listener, {
    ...registers<SmsEvent, IncomingSms>(registry.registrar(), () => sms),
    recipient: (numbers: string | readonly string[]) => {
      const recipients = recipientsOf(numbers, phoneNumber);
      const scope: Scope = registers<MessageEvent, Scope>(registry.registrarOf(recipients), () => scope);
      return scope;
    },
    fetch: createFetch(stages, { ...settings, isClosing, log }),
    receive: async (callback: Callback) => {
      const checked = checkedCallback(callback);
      const observation = observers.ofCallbacks?.callback(checked.method);
      if (observation === undefined) return receiveChecked(checked);
      const receipt = await within(observation, () => receiveChecked(checked));
      observation.ended(receipt);
      return receipt;
    },
    health: () =>
      healthOf({
        isClosing,
        isHandled: () => registry.isListening || (settings.inbox !== undefined && settings.concurrency === 0),
        reach,
        backlogMs: settings.backlogMs,
      }),
    close: async (options: CloseOptions = {}) => closing.begin(options),
    [Symbol.asyncDispose]: () => sms.close(),
    [STATE]: state,
  });
  return sms;
}
