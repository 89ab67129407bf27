// What express-kaleyra-sms/testing reads of a router. Not public.

import type { Escaping } from "../callback/read/json-body.js";
import type { CallbackProfile } from "../callback/template/profile.js";
import type { Inbox } from "../inbox/inbox.js";

export interface RouterState {
  readonly profile: CallbackProfile | undefined;
  readonly escaping: Escaping;
  readonly inbox: Inbox | undefined;
  /** Whether no callback is in flight, and no handler runs within its time limit. */
  readonly isIdle: () => boolean;
  /** Whether messages of the inbox have handlers here. */
  readonly takesOut: () => boolean;
}

/** The property of a router, of whichever copy of this package: an app may have several. */
export const STATE: unique symbol = Symbol.for("express-kaleyra-sms: state of a router");
