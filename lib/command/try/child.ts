// The process in which the user's module runs: tries the texts of its stdin, and reports each to the command.

import { writeFileSync } from "node:fs";
import { Socket } from "node:net";

import { callbackProfile } from "../../callback/template/profile.js";
import { callbackOf } from "../../provider/as-callback.js";
import { renderText } from "../../provider/render-text.js";
import { failureOf } from "../failure.js";
import { linesOf } from "./lines.js";
import { LIFELINE_FD, REPORTS_FD, type Asked, type Report } from "./report.js";
import { routerIn } from "./router-in.js";
import { triedOf } from "./tried.js";

// Taken now: the module may replace them.
const { parse, stringify } = JSON;
const write = writeFileSync;
const exit = process.exit.bind(process);

/** Waits until the command has room for it. */
function report(what: Report): void {
  try {
    write(REPORTS_FD, `${stringify(what)}\n`);
  } catch {
    // The command is gone.
    exit();
  }
}

async function tryTexts({ file, keyword, recipient }: Asked): Promise<void> {
  const note = (text: string): void => report({ note: text });
  const router = await routerIn(file, note);
  const others = router.recipients();
  if (recipient === undefined && others.length > 0)
    note(`Left out are the keywords of ${others.join(", ")}: --recipient NUMBER tries those of one.`);
  if (process.stdin.isTTY) note("Type texts, one a line. Ctrl+D ends.");
  const profile = router.profile ?? callbackProfile({ method: "POST", url: "https://your.domain/sms" });
  const escaping = router.escaping === "none" ? "none" : "json";
  let number = 0;
  for await (const text of linesOf(process.stdin)) {
    number += 1;
    if (text === "") continue;
    const sent = renderText({ text, keyword, recipient }, { profile, escaping });
    report({ tried: triedOf(number, text, router.matchesOf(callbackOf({ body: "", ...sent }))) });
  }
}

// Unless the module loops, it ends with the command, however that one ended.
new Socket({ fd: LIFELINE_FD })
  .on("close", () => exit())
  .on("error", () => undefined)
  .resume()
  .unref();

void tryTexts(parse(process.argv[2] ?? "{}") as Asked)
  .then(
    () => report({ isDone: true }),
    (thrown: unknown) => {
      const { code, exit, message, next } = failureOf(thrown);
      report({ failure: { code, exit, message, next } });
    },
  )
  // The module may keep the process alive.
  .finally(() => exit());
