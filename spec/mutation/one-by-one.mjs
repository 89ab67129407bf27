// Jest's test sequencer and reporter for a mutant: runs the specs in the given order, and reports each start and
// failure at once, so that the remaining specs can be skipped.

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
