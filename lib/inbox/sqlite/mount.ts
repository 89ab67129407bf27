// Finds out whether only the file is mounted, and not its folder: SQLite writes the log beside the file, into a
// container's own layer, which is lost with the container.

import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { dirname, posix } from "node:path";

/** A mount, as `/proc/self/mountinfo` lists it. */
interface Mount {
  readonly id: string;
  /** The mount on which it is mounted. */
  readonly parent: string;
  readonly device: string;
  /** What of the device is mounted. */
  readonly root: string;
  /** Where it is mounted. */
  readonly point: string;
}

/**
 * Whether a file is mounted by itself, from another place than its folder. `false` if that cannot be found out.
 *
 * @param file - the path without symbolic links, as SQLite gives it: the log lies beside that file
 */
export function isMountedAlone(file: string): boolean {
  try {
    if (process.platform === "linux") return isMountedOnLinux(file);
    return statSync(file).dev !== statSync(dirname(file)).dev;
  } catch {
    return false;
  }
}

function isMountedOnLinux(file: string): boolean {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n").map(mountOf);
  const id = mountIdOf(dirname(file));
  return mounts.some((mount) => {
    // A folder that was mounted later may hide the mount of the file.
    if (mount.point !== file || (id !== undefined && mount.parent !== id)) return false;
    const folder = mounts.find((other) => other.id === mount.parent);
    return folder === undefined || !isSamePlace(mount, folder);
  });
}

/** Whether the file would be the same one without its mount: systemd mounts some files on themselves. */
function isSamePlace(file: Mount, folder: Mount): boolean {
  return (
    file.device === folder.device && file.root === posix.join(folder.root, posix.relative(folder.point, file.point))
  );
}

/** The id of the mount on which a folder is; `undefined` if that cannot be read. */
function mountIdOf(folder: string): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, "r");
    return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1];
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** @param line - https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html */
function mountOf(line: string): Mount {
  const [id = "", parent = "", device = "", root = "", point = ""] = line.split(" ").map(unescaped);
  return { id, parent, device, root, point };
}

/** Blanks, line breaks and backslashes are octal numbers, such as `\040`. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
