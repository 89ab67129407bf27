// Loads a module of the user's, and finds in it what a verb wants.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { nameOf } from "../base/thrown.js";
import { callbackProfile, isCallbackProfile, type CallbackProfile } from "../callback/template/profile.js";
import { fault, wrongUse } from "./failure.js";

/**
 * Loads a module: CommonJS or ESM, and TypeScript if this Node.js can.
 *
 * @returns its exports by name; those of a CommonJS module that exports one object as well
 * @throws Failure if it is not there, or throws
 */
export async function exportsOf(file: string, option: string): Promise<ReadonlyMap<string, unknown>> {
  const path = resolve(file);
  if (!existsSync(path)) throw wrongUse(`${option}: there is no file ${file}.`, "Give the path of a module.");
  try {
    const module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
    const whole = module.default;
    const inner = typeof whole === "object" && whole !== null && !isCallbackProfile(whole) ? Object.entries(whole) : [];
    return new Map([...inner, ...Object.entries(module)]);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ERR_UNKNOWN_FILE_EXTENSION")
      throw wrongUse(
        `${option}: this Node.js cannot load ${file}.`,
        "Give the compiled module, or use Node.js 22.18 or later.",
      );
    throw fault({
      code: "module-failed",
      message: `${file} failed to load: ${nameOf(cause)}.`,
      next: "Run it with node to see why. The command loads it as your app does: it must not need more than your app.",
    });
  }
}

/** The profile that a module exports as `profile` or `default`. @throws Failure if it exports none */
export async function profileIn(file: string): Promise<CallbackProfile> {
  const exported = await exportsOf(file, "--profile");
  const profile = ["profile", "default"].map((name) => exported.get(name)).find(isCallbackProfile);
  if (profile !== undefined) return profile;
  throw wrongUse(
    `${file} exports no callbackProfile() as profile or default.`,
    `For instance: export const profile = ${callbackProfile.name}({ method: "POST", url: "https://your.domain/sms" });`,
  );
}
