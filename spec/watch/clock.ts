// Loads the package so that its heartbeats, too, run by the clock of the specs: jest's, which a spec moves.

import { performance } from "node:perf_hooks";
import timers from "node:timers";
import { jest } from "@jest/globals";
import type { incomingSms } from "express-kaleyra-sms";

import { ended } from "../inbox/temporary";

const PACKAGE = "express-kaleyra-sms";
/** What an inbox's heartbeats are made of: taken from Node when the package is loaded. */
const TAKEN = ["setTimeout", "clearTimeout", "setImmediate", "clearImmediate"] as const;

/** The clock stands still until the spec moves it with `pass`, and ends with the spec. */
export function loadUnderClock(): typeof incomingSms {
  jest.useFakeTimers();
  jest.spyOn(performance, "now").mockImplementation(() => Date.now());
  const own = Object.fromEntries(TAKEN.map((name) => [name, timers[name]]));
  const ofClock = Object.fromEntries(TAKEN.map((name) => [name, globalThis[name]]));
  ended.push(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });
  let loaded: { incomingSms: typeof incomingSms } | undefined;
  try {
    Object.assign(timers, ofClock);
    jest.isolateModules(() => (loaded = jest.requireActual(PACKAGE)));
  } finally {
    Object.assign(timers, own);
  }
  if (loaded === undefined) throw new Error("unreachable: isolateModules is synchronous");
  return loaded.incomingSms;
}

/** Moves the clock. What is due at that time has run then. */
export const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
