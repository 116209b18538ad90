import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Ends a run with the line `N passed, N failed` of all its tests. */
export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const totals = modules.map(totalsOf);
    const passed = sum(totals.map(each => each.passed));
    const failed = sum(totals.map(each => each.failed)) + errors.length;
    // At the very end, so that no other reporter's line comes after it.
    process.once('exit', () => process.stdout.write(`${passed} passed, ${failed} failed\n`));
  }
}

/** A test that did not run because its file or a hook failed has failed too; so has a file without tests. */
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
