// The public API of the package.

// The router
export { incomingSms, type IncomingSms } from "./router.js";
export type { IncomingSmsOptions } from "./options.js";
export type { Logger } from "./base/log.js";

// The Callback Profile in the provider's console
export { callbackProfile } from "./callback/template/profile.js";
export type { CallbackProfileOptions } from "./callback/template/profile-options.js";
export type {
  CallbackProfile,
  ParseOptions,
  PostCallbackProfile,
  RenderedCallback,
  RenderOptions,
} from "./callback/template/profile.js";

// Authentication of callers
export type { Authentication } from "./access/authentication.js";
export type { UnauthorizedCallback } from "./access/unauthorized.js";

// Keywords
export {
  alone,
  HELP,
  OPT_IN,
  OPT_OUT,
  POSSIBLE_OPT_OUT,
  type KeywordList,
  type KeywordPattern,
} from "./keywords/patterns.js";
export type { KeywordMatch } from "./keywords/keyword-match.js";

// Events and their payloads
export type { SmsMessage } from "./callback/message.js";
export type { InvalidCallback, InvalidCode, Issue } from "./callback/invalid.js";
export { SmsError } from "./handlers/sms-error.js";
export type { Scope } from "./handlers/scope.js";
export type { BusyCallback, Handler, HandlerContext, SmsEvent, SmsEvents } from "./handlers/events.js";

// The inbox
export type { Inbox, InboxAttempt, InboxOutcome, InboxStats, InboxWork } from "./inbox/inbox.js";
export type { DeadLetter, KeptMessage, OperableInbox } from "./inbox/operable-inbox.js";

// Watching it
export type { CallbackTrace, HandlerTrace, StoreTrace } from "./watch/channels.js";
export type { Health } from "./watch/health.js";
export type { CloseOptions } from "./pipeline/closing.js";

// Callbacks without HTTP: sms.receive()
export type { Callback } from "./callback/read-callback.js";
export type { Receipt } from "./answer/receipt.js";
