// Loads packages that the user installs, and that only some options or subpaths need.

import { codedTypeError } from "./errors.js";

/**
 * @param name - what `load` requires
 * @returns `undefined` if the package is not installed
 * @throws TypeError if it is installed, but does not load: one of its dependencies or its binary may be missing
 */
export function ifInstalled<Package>(name: string, load: () => Package): Package | undefined {
  try {
    return load();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== "MODULE_NOT_FOUND" || !message.startsWith(`Cannot find module '${name}'`))
      throw doesNotLoad(name, cause);
    return undefined;
  }
}

export function doesNotLoad(name: string, cause: unknown): TypeError {
  const [packageName = name] = name.split("/");
  return codedTypeError("KALEYRA_SMS_PEER_MISSING", {
    message: `${name} is installed, but does not load: npm rebuild ${packageName}.`,
    cause,
  });
}
