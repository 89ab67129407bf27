// Loads packages that the user installs, and that only some options or subpaths need.

/**
 * @param name - what `load` requires
 * @returns `undefined` if the package is not installed
 * @throws whatever a package throws that is installed, for instance because one of its dependencies is not
 */
export function ifInstalled<Package>(name: string, load: () => Package): Package | undefined {
  try {
    return load();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== "MODULE_NOT_FOUND" || !message.startsWith(`Cannot find module '${name}'`)) throw cause;
    return undefined;
  }
}
