// The port on which a verb listens, on this machine only.

import { unreachable, wrongUse, type Failure } from "./failure.js";

/** @throws Failure if `--port` is no port */
export function portOf(given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  if (!/^\d{1,5}$/.test(given) || Number(given) > 65_535)
    throw wrongUse("--port takes a whole number from 0 to 65535.", `For instance --port ${otherwise}.`);
  return Number(given);
}

/** Why nothing can listen there. */
export function cannotListen(port: number, { code = "no reason given" }: NodeJS.ErrnoException): Failure {
  return unreachable(
    code === "EADDRINUSE" ? `Port ${port} is taken.` : `Port ${port} cannot be listened on (${code}).`,
    "Choose another with --port; --port 0 takes any that is free.",
    "port-taken",
  );
}
