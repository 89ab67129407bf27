// What the functions of this room take: a router.

import { invalidArgument } from "../base/errors.js";
import { STATE, type RouterState } from "../pipeline/router-state.js";

/** @throws TypeError if the argument is not a router */
export function stateOf(sms: object, called: string): RouterState {
  // A spec in JavaScript may import what is not exported.
  const state = (sms as { readonly [STATE]?: RouterState } | undefined | null)?.[STATE];
  if (state === undefined) throw invalidArgument(`${called}(sms) takes a router: the result of incomingSms().`);
  return state;
}
