// The keywords on a router that is mounted nowhere: `npx express-kaleyra-sms try try.js` says which of them a text matches.

import { incomingSms } from "express-kaleyra-sms";

import { addHandlers } from "./handlers.js";

export const sms = incomingSms({ authenticate: false });

// No handler runs, so no inbox is needed.
addHandlers(sms, {});
