// `try`: which keywords of the user's router texts would match, without a handler that runs.

import { callbackProfile } from "../callback/template/profile.js";
import { callbackOf } from "../provider/as-callback.js";
import { renderText } from "../provider/render-text.js";
import { linesOf } from "./try/lines.js";
import { routerIn } from "./try/router-in.js";
import { Tally } from "./try/tally.js";
import { lineOf, triedOf } from "./try/tried.js";
import { verb } from "./verb.js";

export const tryKeywords = verb({
  name: "try",
  summary: "Says which keywords of your app each text would match: one text a line from stdin. No handler runs.",
  operands: ["FILE"],
  options: {
    keyword: { value: "WORD", help: "The keyword configured in the console. Default: none." },
    recipient: { value: "NUMBER", help: "The business number, whose own keywords count too." },
  },
  examples: [
    { line: "try dist/sms.js < texts.txt", does: "what each line would match, totals, and possible opt-outs" },
    { line: "try sms.js --recipient +919812345678 --json < texts.txt", does: "a line of JSON each, then the totals" },
  ],
  notes: [
    "FILE is a module of your app that exports the router, as sms, as default, or as its only one. " +
      "Its top level runs, as in your app. Its router answers 503, and its inbox hands out nothing. " +
      "Keywords that it registers later, for instance once a database is connected, are not seen.",
    "Empty lines are skipped. A text that may be an opt-out is listed even if POSSIBLE_OPT_OUT is not registered.",
  ],
  run: async ({ operands: [file = ""], options: { keyword, recipient }, output, stdin, signal }) => {
    const router = await routerIn(file, output, signal);
    const others = router.recipients();
    if (recipient === undefined && others.length > 0)
      output.note(`Left out are the keywords of ${others.join(", ")}: --recipient NUMBER tries those of one.`);
    if (stdin.isTTY) output.note("Type texts, one a line. Ctrl+D ends.");
    const profile = router.profile ?? callbackProfile({ method: "POST", url: "https://your.domain/sms" });
    const escaping = router.escaping === "none" ? "none" : "json";
    const tally = new Tally();
    let number = 0;
    for await (const text of linesOf(stdin, signal)) {
      number += 1;
      if (text === "") continue;
      const sent = renderText({ text, keyword, recipient }, { profile, escaping });
      const tried = triedOf(number, text, router.matchesOf(callbackOf({ body: "", ...sent })));
      tally.add(tried);
      output.event(tried, lineOf(tried));
    }
    return tally.result();
  },
});
