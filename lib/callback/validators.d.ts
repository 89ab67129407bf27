// The types of validators.js, which compile-schema.ts generates at build time.

import type { ValidateFunction } from "ajv";

export declare const validateGet: ValidateFunction;
export declare const validatePost: ValidateFunction;
