// Jest's order and reporter for a mutant: the specs in the order in which they were given. It reports at once if one
// starts or fails, so that the rest can be spared.

export default class OneByOne {
  // As a `testSequencer`:
  sort(tests) {
    return tests.toSorted((one, other) => process.argv.indexOf(one.path) - process.argv.indexOf(other.path));
  }
  allFailedTests(tests) {
    return tests;
  }
  cacheResults() {}

  // As a reporter:
  onTestFileStart({ path }) {
    process.send({ started: path });
  }
  onTestCaseResult({ path }, { status }) {
    if (status === "failed") process.send({ failed: path });
  }
  onTestFileResult({ path }, { numFailingTests, testExecError }) {
    if (numFailingTests > 0 || testExecError) process.send({ failed: path });
  }
}
