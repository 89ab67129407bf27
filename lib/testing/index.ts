// The public surface of express-kaleyra-sms/testing.

export { subscriber } from "./subscriber.js";
export type { Subscriber, SubscriberOptions, TextOptions } from "./subscriber.js";
export { settled } from "./settled.js";
export { fixture } from "./fixture.js";
export { memoryInbox } from "../inbox/memory/memory-inbox.js";
export type { MemoryInbox } from "../inbox/memory/memory-inbox.js";
