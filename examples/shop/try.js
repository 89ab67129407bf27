// The shop's keywords on a router that is mounted nowhere: `npx express-kaleyra-sms try try.js` says which of them a text matches.

import { incomingSms } from "express-kaleyra-sms";

import { addKeywords } from "./keywords.js";
import { numbers } from "./numbers.js";

export const sms = incomingSms({ authenticate: false });

// No handler runs, so no database and no provider are needed.
addKeywords(sms, { numbers });
