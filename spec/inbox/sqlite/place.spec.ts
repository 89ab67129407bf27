// Where the file lies: if only the file is mounted into a container, its log would be lost with the container.

import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";

import { DRIVERS } from "../drivers";
import { temporaryFolder } from "../temporary";

/** Runs a command that has mounts of its own, which end with it. Which of these is permitted depends on the machine. */
const OWN_MOUNTS = [
  ["unshare", "-m"],
  ["unshare", "-rm"],
  ["sudo", "-n", "unshare", "-m"],
].find(([command = "", ...args]) => {
  try {
    execFileSync(command, [...args, "mount", "-t", "tmpfs", "none", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});
const WHY_NOT = OWN_MOUNTS === undefined ? " (skipped: this machine permits no mount)" : "";
if (OWN_MOUNTS === undefined) {
  console.warn("Specs with mounts are skipped: this machine permits none.");
  // The machines of GitHub on which CI runs permit them to `sudo`. A container elsewhere may forbid them to root, too.
  const mustPermit = process.platform === "linux" && process.env.GITHUB_ACTIONS === "true";
  (mustPermit ? it : it.skip)(
    "specs with mounts run on Linux machines of GitHub; elsewhere if they are permitted",
    () => {
      throw new Error("This machine permits no mount, neither to root nor in a namespace of its user.");
    },
  );
}
const itWithMounts = OWN_MOUNTS === undefined ? it.skip : it;

interface Folders {
  /** The machine's folder. */
  readonly host: string;
  /** The container's folder. */
  readonly app: string;
}

interface Case {
  /** The names of the two folders begin so. */
  readonly prefix?: string;
  /** Run before the file is opened. */
  readonly commands: (folders: Folders) => ReadonlyArray<readonly string[]>;
  /** The file that is opened; by default `inbox.db` of the container's folder. */
  readonly file?: (folders: Folders) => string;
  /** As which the process takes the machine. */
  readonly platform?: string;
}

const mountFile = ({ host, app }: Folders) => ["mount", "--bind", join(host, "inbox.db"), join(app, "inbox.db")];
const mountFolder = ({ host, app }: Folders) => ["mount", "--bind", host, app];
/** Makes a folder a disk of its own, with an empty `inbox.db`. */
const disk = (folder: string) => [
  ["mount", "-t", "tmpfs", "none", folder],
  ["touch", join(folder, "inbox.db")],
];
const hideProc = ["mount", "-t", "tmpfs", "none", "/proc"];
const linkTo = (target: string, link: string): string => {
  symlinkSync(target, link);
  return link;
};

/** Opens an inbox in a process with mounts of its own. @returns what opens.cjs prints */
function open(driver: string, option: string, { prefix = "", commands, file, platform }: Case): string {
  const parent = temporaryFolder();
  const folders = { host: join(parent, `${prefix}host`), app: join(parent, `${prefix}app`) };
  for (const folder of Object.values(folders)) {
    mkdirSync(folder);
    writeFileSync(join(folder, "inbox.db"), "");
  }
  const path = file?.(folders) ?? join(folders.app, "inbox.db");
  const opening = [process.execPath, join(__dirname, "opens.cjs"), driver, path, option];
  const line = [...commands(folders), platform === undefined ? opening : [...opening, platform]]
    .map((command) => command.map((word) => `'${word}'`).join(" "))
    .join(" && ");
  const [command, ...args] = [...(OWN_MOUNTS ?? []), "sh", "-c", line];
  return execFileSync(command, args, { encoding: "utf8", timeout: 20_000 }).trim();
}

const ALONE: ReadonlyArray<readonly [what: string, one: Case]> = [
  ["by its path", { commands: (folders) => [mountFile(folders)] }],
  ["in folders with odd names", { commands: (folders) => [mountFile(folders)], prefix: "a b\\c\\040\t#\nd" }],
  [
    "by a symbolic link",
    {
      commands: (folders) => [mountFile(folders)],
      file: ({ host, app }) => linkTo(join(app, "inbox.db"), join(host, "link.db")),
    },
  ],
  [
    "by a symbolic link to its folder",
    {
      commands: (folders) => [mountFile(folders)],
      file: ({ host, app }) => join(linkTo(app, join(host, "link")), "inbox.db"),
    },
  ],
  ["over another mount of it", { commands: (folders) => [mountFile(folders), mountFile(folders)] }],
  [
    "from one disk into another",
    { commands: ({ host, app }) => [...disk(host), ...disk(app), mountFile({ host, app })] },
  ],
  [
    "from another disk, on a system without Linux's list of mounts",
    { commands: ({ host, app }) => [...disk(host), mountFile({ host, app }), hideProc], platform: "freebsd" },
  ],
];

const NOT_ALONE: ReadonlyArray<readonly [what: string, one: Case]> = [
  ["its folder is mounted", { commands: (folders) => [mountFolder(folders)] }],
  ["its folder is a disk of its own", { commands: ({ app }) => disk(app) }],
  [
    "it is a symbolic link into a mounted folder",
    {
      commands: (folders) => [mountFolder(folders)],
      file: ({ host, app }) => linkTo(join(app, "inbox.db"), join(host, "link.db")),
    },
  ],
  ["it is mounted on itself", { commands: ({ app }) => [mountFile({ host: app, app })] }],
  [
    "it is mounted on itself in a mounted folder",
    { commands: ({ host, app }) => [mountFolder({ host, app }), mountFile({ host: app, app })] },
  ],
  [
    "it is mounted from the folder that is mounted around it",
    { commands: ({ host, app }) => [mountFolder({ host, app }), mountFile({ host, app })] },
  ],
  [
    "a folder was mounted over a mounted file",
    { commands: ({ host, app }) => [mountFile({ host, app }), ...disk(app)] },
  ],
  [
    "another file beside it is mounted",
    {
      commands: ({ host, app }) => [mountFile({ host, app })],
      file: ({ app }) => join(app, "other.db"),
    },
  ],
  ["nothing says what is mounted", { commands: (folders) => [mountFile(folders), hideProc] }],
  [
    "the system has no list of mounts like Linux's",
    { commands: (folders) => [mountFolder(folders), hideProc], platform: "freebsd" },
  ],
];

const wrong = (option: string): unknown =>
  expect.objectContaining({
    name: "TypeError",
    code: "KALEYRA_SMS_INVALID_OPTION",
    message: expect.stringMatching(
      new RegExp(`^options\\.${option} of sqliteInbox takes .*-wal.*Mount the folder, not the file\\.`),
    ) as unknown,
  });

describe.each(DRIVERS)("with $name", ({ name }) => {
  itWithMounts.each(ALONE)(`throws if only the file is mounted, %s${WHY_NOT}`, (_what, one) => {
    expect(JSON.parse(open(name, "file", one))).toEqual(wrong("file"));
  });

  itWithMounts.each(NOT_ALONE)(`opens the file if %s${WHY_NOT}`, (_what, one) => {
    expect(open(name, "file", one)).toBe("opened");
  });

  itWithMounts(`looks where the file of an open handle is${WHY_NOT}`, () => {
    expect(JSON.parse(open(name, "database", { commands: (folders) => [mountFile(folders)] }))).toEqual(
      wrong("database"),
    );
    expect(open(name, "database", { commands: (folders) => [mountFolder(folders)] })).toBe("opened");
  });
});
