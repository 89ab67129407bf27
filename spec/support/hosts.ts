// Both major versions of Express that the package supports.

import express5 from "express";
import express4 from "express4";

export const EXPRESS: ReadonlyArray<readonly [name: string, express: typeof express5]> = [
  ["Express 5", express5],
  ["Express 4", express4],
];
