// The app's keywords on a router that is mounted nowhere: `npx express-kaleyra-sms try try.js` says which of them a text matches.

import { createSms } from "./sms.js";

// No handler runs, so no database is needed.
export const sms = createSms({ authenticate: false });
