// What express-kaleyra-sms/testing, /simulator and the command see of a router. Not public.

import { invalidArgument } from "../base/errors.js";
import type { Escaping } from "../callback/read/json-body.js";
import type { CallbackProfile } from "../callback/template/profile.js";
import type { Inbox } from "../inbox/inbox.js";
import type { MatchesOf } from "./matches-of.js";
import type { Observer } from "./observer.js";

export interface RouterState {
  readonly methods: ReadonlyArray<"GET" | "POST">;
  readonly profile: CallbackProfile | undefined;
  readonly escaping: Escaping;
  readonly inbox: Inbox | undefined;
  /** The zone of `timestamp`. */
  readonly timeZone: string | undefined;
  /** Whether no callback is in flight, and no handler runs within its time limit. */
  readonly isIdle: () => boolean;
  /** Whether messages of the inbox have handlers here. */
  readonly takesOut: () => boolean;
  /** Adds an observer, for as long as the router lives. */
  readonly observe: (observer: Observer) => void;
  /** What a callback would match. Calls no handler. */
  readonly matchesOf: MatchesOf;
  /** The business numbers that have handlers of their own. */
  readonly recipients: () => readonly string[];
}

/** The property of a router, of whichever copy of this package: an app may have several. */
export const STATE: unique symbol = Symbol.for("express-kaleyra-sms: state of a router");

/**
 * @param called - the name of the function that takes the router
 * @throws TypeError if the argument is not a router
 */
export function stateOf(sms: object, called: string): RouterState {
  // A caller in JavaScript may pass anything.
  const state = (sms as { readonly [STATE]?: RouterState } | undefined | null)?.[STATE];
  if (state === undefined) throw invalidArgument(`${called}(sms) takes a router: the result of incomingSms().`);
  return state;
}
