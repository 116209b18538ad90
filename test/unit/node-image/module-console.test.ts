import { describe, expect, it } from 'vitest';

import { collectingOutput, moduleConsole } from '../../../node-image/src/module-console.ts';
import { recordingLog } from '../fixtures.ts';

function printing() {
  const log = recordingLog();
  return { log, console: moduleConsole(log, 'demo', 'abcdef0123456789') };
}

describe('moduleConsole', () => {
  it('logs each line with module and short revision, errors as warnings', () => {
    const { log, console } = printing();
    console.log('Calculating like a boss!', { x: 1 });
    console.error('ouch');
    const fields = { module: 'demo', revision: 'abcdef012345' };
    expect(log.logged).toEqual([
      { level: 'info', fields, message: 'Calculating like a boss! { x: 1 }' },
      { level: 'warn', fields, message: 'ouch' },
    ]);
  });

  it('makes a line of each line that is printed at once', () => {
    const { log, console } = printing();
    console.log('one\ntwo\n\nthree');
    console.log();
    expect(log.logged.map(({ message }) => message)).toEqual(['one', 'two', '', 'three', '']);
  });
});

describe('collectingOutput', () => {
  it('collects what is printed inside, and nothing of what is printed outside', () => {
    const { log, console } = printing();
    const output: string[] = [];
    console.log('before');
    const value = collectingOutput(output, () => {
      console.warn('inside');
      return 7;
    });
    console.log('after');
    expect(value).toBe(7);
    expect(output).toEqual(['inside']);
    expect(log.logged).toHaveLength(3);
  });

  it('shows at most 200 lines; the log has all of them', () => {
    const { log, console } = printing();
    const output: string[] = [];
    collectingOutput(output, () => console.log(Array.from({ length: 300 }, (_, n) => n).join('\n')));
    expect(output).toHaveLength(200);
    expect(output.at(-1)).toBe('199');
    expect(log.logged).toHaveLength(300);
  });
});
