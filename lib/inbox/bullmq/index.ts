// The public surface of express-kaleyra-sms/bullmq.

export { bullmqInbox } from "./bullmq-inbox.js";
export type { BullmqInboxOptions } from "./bullmq-options.js";
