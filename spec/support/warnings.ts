// Records process warnings instead of printing them.

import { afterEach, beforeEach, jest } from "@jest/globals";

/** Called once in a spec file. Returns the codes of the warnings that the current spec has caused. */
export function recordWarnings(): readonly unknown[] {
  const codes: unknown[] = [];
  beforeEach(() => {
    codes.length = 0;
    jest
      .spyOn(process, "emitWarning")
      .mockImplementation((_, options) => void codes.push((options as { code?: string }).code));
  });
  afterEach(() => void jest.restoreAllMocks());
  return codes;
}
