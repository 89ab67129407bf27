// Loads a module of the user's, and finds in it what a verb wants.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { types } from "node:util";

import { codeOf } from "../base/errors.js";
import { nameOf } from "../base/thrown.js";
import { isCallbackProfile, type CallbackProfile } from "../callback/template/profile.js";
import { EXIT, Failure, fault, wrongUse } from "./failure.js";

/** How long a module may take to load, in milliseconds. */
const LOAD_MS = 30_000;

/**
 * Loads a module: CommonJS or ESM, and TypeScript if this Node.js can.
 *
 * @returns its exports by name; those of a CommonJS module that exports one object as well
 * @throws Failure if it is not there, throws, or does not end loading
 */
export async function exportsOf(file: string, option: string): Promise<ReadonlyMap<string, unknown>> {
  const path = resolve(file);
  if (!existsSync(path)) throw wrongUse(`There is no file ${file}.`, `${option} takes the path of a module.`);
  try {
    const module = await loaded(path, file);
    const whole = module.default;
    const inner = typeof whole === "object" && whole !== null && !isCallbackProfile(whole) ? Object.entries(whole) : [];
    // `default` of what was compiled to CommonJS is inside.
    return new Map([...Object.entries(module), ...inner]);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    if (isOfUnknownKind(cause))
      throw wrongUse(
        `This Node.js cannot load ${file}.`,
        /\.[cm]?ts$/.test(file)
          ? "Give the compiled module, or use Node.js 22.18 or later."
          : `${option} takes a module: its name ends in .js, .mjs or .cjs.`,
      );
    throw fault({
      code: "module-failed",
      message: `${file} failed to load: ${reasonOf(cause)}`,
      next: "Run it with node to see why. The command loads it as your app does: it must not need more than your app.",
    });
  }
}

/** Anything can be thrown. */
function isOfUnknownKind(cause: unknown): boolean {
  return types.isNativeError(cause) && "code" in cause && cause.code === "ERR_UNKNOWN_FILE_EXTENSION";
}

async function loaded(path: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  // What it prints does not belong to the result of the verb.
  process.stdout.write = process.stderr.write.bind(process.stderr);
  let giveUp = (): void => undefined;
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = () =>
      reject(
        fault({
          code: "module-failed",
          message: `${file} does not end loading.`,
          next: "It awaits something that does not come: give a module that only makes and exports what is wanted.",
        }),
      );
  });
  // Nothing is left to do, and it still awaits something.
  process.once("beforeExit", giveUp);
  const timer = setTimeout(giveUp, LOAD_MS).unref();
  try {
    const loading = import(pathToFileURL(path).href) as Promise<Readonly<Record<string, unknown>>>;
    return await Promise.race([loading, givenUp]);
  } finally {
    clearTimeout(timer);
    process.off("beforeExit", giveUp);
  }
}

/** The package's own errors hold nothing that was sent: they say what is wrong with an option. */
function reasonOf(cause: unknown): string {
  return codeOf(cause) !== undefined && cause instanceof Error ? cause.message : `${nameOf(cause)}.`;
}

/** The profile that a module exports as `profile` or `default`. @throws Failure if it exports none */
export async function profileIn(file: string): Promise<CallbackProfile> {
  const ends = (): void => {
    process.exitCode = EXIT.fault;
    process.stderr.write(`${file} ended the process while it was loaded: give a module that does not.\n`);
  };
  process.once("exit", ends);
  const exported = await exportsOf(file, "--profile").finally(() => process.off("exit", ends));
  const profile = ["profile", "default"].map((name) => exported.get(name)).find(isCallbackProfile);
  if (profile !== undefined) return profile;
  throw wrongUse(
    `${file} exports no callbackProfile() as profile or default.`,
    'For instance: export const profile = callbackProfile({ method: "POST", url: "https://your.domain/sms" });',
  );
}
