// The router that a module of the user's exports, loaded only to be looked at: none of its handlers runs.

import { lookOnly } from "../../base/looked-at-only.js";
import { nameOf } from "../../base/thrown.js";
import { STATE, type RouterState } from "../../pipeline/router-state.js";
import { wrongUse } from "../failure.js";
import { exportsOf } from "../module.js";

/**
 * Loads a module, and returns what its router shows: of the one that it exports as `sms` or `default`, or of the only
 * one that it exports.
 *
 * @throws Failure if it exports none, or several
 */
export async function routerIn(file: string, note: (text: string) => void): Promise<RouterState> {
  survive(note);
  lookOnly();
  const exported = await exportsOf(file, "FILE");
  // Handlers may be registered in the turn after.
  await new Promise((resolve) => setImmediate(resolve));
  const preferred = ["sms", "default"].map((name) => exported.get(name)).filter(isRouter);
  const routers = new Set([...exported.values()].filter(isRouter));
  const [router] = preferred.length > 0 ? preferred : routers;
  if (router === undefined)
    throw wrongUse(
      `${file} exports no router.`,
      "Export it: export const sms = incomingSms(...). If the module exports a function that makes one, " +
        "give a module that calls it: export const sms = createSms(...).",
    );
  if (preferred.length === 0 && routers.size > 1)
    throw wrongUse(
      `${file} exports ${routers.size} routers.`,
      'Give a module that exports one as sms: export { orders as sms } from "./routers.js".',
    );
  const state = router[STATE];
  // The app may have another version of this package.
  if (typeof state.matchesOf !== "function")
    throw wrongUse(
      `${file} makes its router with an older express-kaleyra-sms than this command's.`,
      "Update it in the app, or run the command of the app's own: npx express-kaleyra-sms in its folder.",
    );
  return state;
}

function isRouter(value: unknown): value is { readonly [STATE]: RouterState } {
  return typeof value === "function" && STATE in value;
}

/** An app does more than make its router. What fails there, such as a port in use, does not matter here. */
function survive(note: (text: string) => void): void {
  let isNoted = false;
  const failed = (cause: unknown): void => {
    if (isNoted || (cause as NodeJS.ErrnoException | null | undefined)?.code === "EADDRINUSE") return;
    isNoted = true;
    note(`Something in the module failed after it was loaded: ${nameOf(cause)}. Its keywords are tried.`);
  };
  process.on("uncaughtException", failed).on("unhandledRejection", failed);
}
