// Counts what the channels publish.

import { tracingChannel } from "node:diagnostics_channel";

let published = 0;
const add = () => published++;
const subscriber = { start: add, end: add, asyncStart: add, asyncEnd: add, error: add };

for (const name of ["callback", "handler", "inbox.store"])
  tracingChannel(`express-kaleyra-sms.${name}`).subscribe(subscriber);
