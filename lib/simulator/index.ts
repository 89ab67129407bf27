// The public surface of express-kaleyra-sms/simulator.

export { simulator } from "./simulator.js";
export type { Simulator } from "./simulator.js";
export type { SimulatorOptions } from "./simulator-options.js";
