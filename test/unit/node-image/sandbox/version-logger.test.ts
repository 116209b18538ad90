import { Console } from 'node:console';
import { randomUUID } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { VersionLogger } from '../../../../node-image/src/sandbox/version-logger.ts';
import { runInContext } from '../../../../node-image/src/sandbox/execution-context.ts';
import { ModuleLogs } from '../../../../node-image/src/sandbox/logs/module-logs.ts';
import type { LogMessage } from '../../../../protocol/logs.ts';
import { recordingLog } from '../../fixtures.ts';

const OWNER = { script: 'demo@abcdef012345', ports: null };

const fields = { module: 'demo', revision: 'abcdef012345' };

function printing(charsPerSecond = Infinity) {
  const log = recordingLog();
  const moduleLog = new VersionLogger(log, 'demo', 'abcdef0123456789', charsPerSecond);
  const streams = { stdout: moduleLog.stream('info'), stderr: moduleLog.stream('warn') };
  return { log, moduleLog, ...streams, console: new Console(streams) };
}

describe('what a module prints', () => {
  it('logs each line with module and short revision, errors as warnings', () => {
    const { log, console } = printing();
    console.log('Calculating like a boss!', { x: 1 });
    console.error('ouch');
    expect(log.logged).toEqual([
      { level: 'info', fields, message: 'Calculating like a boss! { x: 1 }' },
      { level: 'warn', fields, message: 'ouch' },
    ]);
  });

  it('logs each line of one write separately', () => {
    const { log, console } = printing();
    console.log('one\ntwo\n\nthree');
    console.log();
    expect(log.logged.map(({ message }) => message)).toEqual(['one', 'two', '', 'three', '']);
  });
});

describe('what a tail asks for', () => {
  it('is all that a module prints and throws, as it was written, whatever the limit of the log', () => {
    const log = recordingLog();
    const sent: object[] = [];
    const logs = new ModuleLogs(({ entries }) => sent.push(...entries));
    logs.tail.lease({ id: '', rate: 100, modules: [], level: 'info', grep: '' });
    const moduleLog = new VersionLogger(log, 'demo', 'abcdef0123456789', 0, text => text.toUpperCase(), logs);
    moduleLog.print('warn', 'one\ntwo\n');
    moduleLog.error(() => ({ type: 'Error', message: 'ouch', stack: 'Error: ouch\n    at x' }));
    moduleLog.told(() => ({ type: 'Error', message: 'no' }), 'demo.add');
    logs.tail.flush();
    expect(log.logged).toEqual([]);
    expect(sent).toMatchObject([
      { ...fields, revision: 'abcdef0123456789', level: 'warn', text: 'ONE\nTWO' },
      { level: 'error', text: 'error in a module: Error: ouch\n    at x' },
      { level: 'error', text: 'demo.add: [Error: no]' },
    ]);
    expect(logs.errors.of('demo')).toMatchObject([{ errors: [{ where: 'demo.add' }, { where: 'error in a module' }] }]);
  });
});

describe('the output of a call', () => {
  it('collects what is printed inside, and nothing that is printed outside', () => {
    const { log, console } = printing();
    const output: string[] = [];
    console.log('before');
    const value = runInContext(OWNER, { lines: output, id: undefined }, () => {
      console.warn('inside');
      return 7;
    });
    console.log('after');
    expect(value).toBe(7);
    expect(output).toEqual(['inside']);
    expect(log.logged).toHaveLength(3);
  });

  it('is in the log with the id of its call, line by line', () => {
    const entries: Omit<LogMessage, 'node'>[] = [];
    const logs = new ModuleLogs(message => entries.push(message));
    const id = randomUUID();
    logs.tail.lease({ id: randomUUID(), rate: 100, modules: [], level: 'info', grep: '' });
    const moduleLog = new VersionLogger(recordingLog(), 'demo', 'a'.repeat(64), Infinity, text => text, logs);
    runInContext(OWNER, { lines: [], id }, () => {
      moduleLog.print('info', 'one\ntwo\n');
      moduleLog.print('info', 'three');
    });
    moduleLog.print('info', 'outside');
    logs.tail.flush();
    const [message] = entries;
    expect(message?.entries.map(({ text, call }) => [text, call?.id, call?.line])).toEqual([
      ['one\ntwo', id, 0],
      ['three', id, 2],
      ['outside', undefined, undefined],
    ]);
  });

  it('has at most 200 lines; the log has all of them', () => {
    const { log, console } = printing();
    const output: string[] = [];
    runInContext(OWNER, { lines: output, id: undefined }, () =>
      console.log(Array.from({ length: 300 }, (_, n) => n).join('\n')),
    );
    expect(output).toHaveLength(200);
    expect(output.at(-1)).toBe('199');
    expect(log.logged).toHaveLength(300);
  });
});

describe('the log limit of a module', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('is per second; the number of dropped lines is logged once per second', () => {
    const { log, console } = printing(100);
    for (let line = 0; line < 1_000; line += 1) console.log('0123456789');
    expect(log.logged).toHaveLength(10);
    vi.advanceTimersByTime(999);
    expect(log.logged).toHaveLength(10);
    vi.advanceTimersByTime(1);
    const message = '990 lines dropped: the limit is 100 characters per second (LOG_MAX_CHARS_PER_SECOND)';
    expect(log.logged.slice(10)).toEqual([{ level: 'warn', fields: { ...fields, dropped: 990 }, message }]);
    console.log('again');
    expect(log.logged.at(-1)?.message).toBe('again');
    vi.advanceTimersByTime(10_000);
    expect(log.logged).toHaveLength(12);
  });

  it('counts uncaught errors, and does not describe a dropped one', () => {
    const { log, moduleLog } = printing(100);
    const describeError = vi.fn<() => { type: string; message: string }>(() => ({
      type: 'Error',
      message: 'x'.repeat(60),
    }));
    for (let error = 0; error < 50; error += 1) moduleLog.error(describeError);
    expect(log.logged).toHaveLength(2);
    expect(describeError).toHaveBeenCalledTimes(2);
  });

  it('cuts one write that is too long', () => {
    const { log, console } = printing();
    console.log('x\n'.repeat(1_000_000));
    expect(log.logged).toHaveLength(32_769);
    expect(log.logged.at(-1)?.message).toBe('… (1934464 more characters)');
  });

  it('cuts a line that is too long, also in the output of a call', () => {
    const { log, stdout } = printing();
    const output: string[] = [];
    runInContext(OWNER, { lines: output, id: undefined }, () => stdout.write(`${'x'.repeat(5_000)}\nshort`));
    const lines = [`${'x'.repeat(4_096)}… (904 more characters)`, 'short'];
    expect(log.logged.map(({ message }) => message)).toEqual(lines);
    expect(output).toEqual(lines);
  });
});
