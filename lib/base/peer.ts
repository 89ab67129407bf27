// Whether a package that the user installs, and that only some options or subpaths need, is installed. Each is required
// in a `try` of its own: bundlers let a package be missing only if the call of `require` itself is in one.

/** @returns `undefined` for an empty module: webpack in Next.js puts one in place of a package that is not installed */
export function unlessEmpty<Package extends object>(loaded: Package): Package | undefined {
  return typeof loaded === "object" && Object.keys(loaded).length === 0 ? undefined : loaded;
}

/**
 * @param name - what was required
 * @param cause - what `require` threw
 * @returns `false` if it is installed, but does not load, for instance because one of its dependencies is not installed
 */
export function isMissing(name: string, cause: unknown): boolean {
  const { code, message } = cause as NodeJS.ErrnoException;
  return code === "MODULE_NOT_FOUND" && message.startsWith(`Cannot find module '${name}'`);
}
