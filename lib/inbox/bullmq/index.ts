// What express-kaleyra-sms/bullmq gives, and nothing else.

export { bullmqInbox } from "./bullmq-inbox.js";
export type { BullmqInboxOptions } from "./bullmq-options.js";
