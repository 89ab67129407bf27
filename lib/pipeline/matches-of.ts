// What a callback would match, for a tool: read as the router reads it, and given to no handler.

import type { Callback, createReadCallback } from "../callback/read-callback.js";
import type { InvalidCallback } from "../callback/invalid.js";
import type { Matches, Registry } from "../handlers/registry.js";

interface Deps {
  /** Makes what reads callbacks: as the router reads them, but decrypts nothing. */
  readonly createRead: () => ReturnType<typeof createReadCallback>;
  readonly registry: Registry;
}

export type MatchesOf = (callback: Callback) => Matches | { readonly invalid: InvalidCallback };

export function createMatchesOf({ createRead, registry }: Deps): MatchesOf {
  let read: ReturnType<typeof createReadCallback> | undefined;
  return (callback) => {
    read ??= createRead();
    const reading = read(callback);
    return "invalid" in reading ? { invalid: reading.invalid } : registry.matchesOf(reading.message);
  };
}
