// How Jest runs the specs of a mutant: in the order in which they were given, telling at once which one runs and that one failed, so that
// the rest of it can be spared.

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
