// How long bodies take that imitate the template, up to the limit. A process of its own.

import { callbackProfile, incomingSms } from "express-kaleyra-sms";

/** The quickest of so many is taken: what collecting garbage takes comes and goes. */
const TIMES = 5;
const LENGTHS = [20_000, 40_000, 80_000, 160_000];
const NAMES = "source recipient description status status_trace id kid keyword operator circle timestamp".split(" ");

const FRAGMENTS = {
  quotes: '"',
  "ends of values": '","',
  "a key": '","id":"',
  "a message": '","message":"x',
  "a part": '","parts[1]":"a',
  "two parts": '","parts[1]":"a","parts[2]":"b',
  "all keys": NAMES.map((name) => `","${name}":"v`).join(""),
  "a key and white space": '"   ,\n   "id"   :   "',
  "a hundred parts": Array.from({ length: 100 }, (_, n) => `","parts[${n + 1}]":"a`).join(""),
  backslashes: '\\\\"',
};

const quiet = { authenticate: false, deduplicate: false, logger: { warn() {}, error() {} } };

/** A body of about so many characters: the template may have the text more than once. */
function bodyOf(profile, fragment, length) {
  const render = (times) =>
    profile.render({ id: "1", source: "2", recipient: "3", message: fragment.repeat(times) }, { escaping: "none" })
      .body;
  const times = Math.floor(length / fragment.length);
  return render(Math.floor((times * length) / render(times).length));
}

async function quickest(sms, body) {
  let least = Infinity;
  for (let time = 0; time < TIMES; time++) {
    const begun = performance.now();
    const { problem } = await sms.receive({ method: "POST", body });
    least = Math.min(least, performance.now() - begun);
    if (problem?.code === "body-too-large") throw new Error(`A body of ${body.length} characters was not read.`);
  }
  return least;
}

const rows = [];
for (const parts of [0, 3, 8, 100]) {
  const profile = callbackProfile({ method: "POST", url: "http://127.0.0.1/sms", parts });
  const sms = incomingSms({ ...quiet, profile, escaping: "none" }).on("message", () => undefined);
  for (const [name, fragment] of Object.entries(FRAGMENTS)) {
    const ms = [];
    for (const length of LENGTHS) ms.push(await quickest(sms, bodyOf(profile, fragment, length)));
    rows.push({ name: `${name}, ${parts} parts`, ms });
  }
}
process.send({ lengths: LENGTHS, rows });
process.disconnect();
