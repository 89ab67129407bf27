// `try`: which keywords of the user's router texts would match, without a handler that runs.

import { Failure, fault } from "./failure.js";
import { reportsOf } from "./try/reports.js";
import { Tally } from "./try/tally.js";
import { lineOf } from "./try/tried.js";
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
      "Its top level runs, as in your app, in a process of its own. " +
      "Its router answers 503, and its inbox hands out nothing. " +
      "Keywords that it registers later, for instance once a database is connected, are not seen.",
    "Empty lines are skipped. A text that may be an opt-out is listed even if POSSIBLE_OPT_OUT is not registered.",
  ],
  run: async ({ operands: [file = ""], options: { keyword, recipient }, output, signal }) => {
    const tally = new Tally();
    let isDone = false;
    for await (const report of reportsOf({ file, keyword, recipient }, signal)) {
      if ("note" in report) output.note(report.note);
      else if ("failure" in report) throw new Failure(report.failure);
      else if ("isDone" in report) isDone = true;
      else {
        tally.add(report.tried);
        output.event(report.tried, lineOf(report.tried));
      }
    }
    if (isDone) return tally.result();
    const failure = fault({
      code: "module-ended",
      message: `${file} ended the process before all texts were tried.`,
      next: "Give a module that only makes and exports the router: nothing that it does may end the process.",
    });
    return { ...tally.result(), failure };
  },
});
