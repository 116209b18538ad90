import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Prints `N passed, N failed` as the last line of a run. */
export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const totals = modules.map(totalsOf);
    const passed = sum(totals.map(each => each.passed));
    const failed = sum(totals.map(each => each.failed)) + errors.length;
    // At exit, so that it comes after the lines of all other reporters.
    process.once('exit', () => process.stdout.write(`${passed} passed, ${failed} failed\n`));
  }
}

/** Tests that did not run because the file or a hook failed count as failed. A file without tests counts as one failure. */
function totalsOf(module: TestModule): { passed: number; failed: number } {
  const states = [...module.children.allTests()].map(test => test.result().state);
  const passed = states.filter(state => state === 'passed').length;
  const failed = states.filter(state => state === 'failed').length;
  if (module.ok()) return { passed, failed };
  return { passed, failed: Math.max(1, states.length - passed) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
