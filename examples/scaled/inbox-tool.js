// Looks into the inbox, and mends it, while everything runs.

import "./env.js";
import { openInbox } from "./inbox.js";

const USAGE = `npm run inbox -- stats             how many messages are where
npm run inbox -- dead              what failed in every attempt
npm run inbox -- get <key>         what became of it
npm run inbox -- replay <key>      handle it again
npm run inbox -- replay-all        handle all of them again
npm run inbox -- discard <key>     give it up
npm run inbox -- forget <source>   erase what is kept of a subscriber`;

const [command, argument] = process.argv.slice(2);
const inbox = openInbox();
switch (command) {
  case "stats":
    console.log(await inbox.stats());
    break;
  case "dead":
    for (const { key, message, attempts, failedAt, reason } of await inbox.deadLetters()) {
      console.log(key, message.source, `${attempts} attempts, the last one at ${failedAt}: ${reason}`);
    }
    break;
  case "replay-all":
    console.log(`${await inbox.replayAll()} messages`);
    break;
  case "get":
    if (argument === undefined) console.log(USAGE);
    else console.log((await inbox.get(argument)) ?? "handled, discarded, forgotten, or never here");
    break;
  case "replay":
  case "discard":
  case "forget":
    if (argument === undefined) console.log(USAGE);
    else console.log(`${await inbox[command](argument)} messages`);
    break;
  default:
    console.log(USAGE);
}
await inbox.close();
