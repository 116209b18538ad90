import { describe, expect, it } from 'vitest';

import type { Output } from '../../../controller/src/api/output.ts';
import type { Output as Written } from '../../../types/output.d.ts';
import { readOutput } from '../../support/commands/output-schema.ts';
import { thirtyNodes } from '../controller/cli/thirty-nodes.ts';

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** The types compile only while what is written for users is what commands print. */
const asPrinted = (output: Written): DeepReadonly<Output> => output;

describe('the schema of --json', () => {
  it.each(Object.values(thirtyNodes))('fits the result of $command', result => {
    expect(readOutput(JSON.stringify(result))).toEqual(result);
  });

  it('fits a failure and a save', () => {
    const failed = { failed: { type: 'failed', code: 'usage', message: 'no' } };
    const saved = { saved: { type: 'saved', at: 1, ms: 2, saved: ['demo'], result: null, problem: null, broken: [] } };
    for (const line of [failed, saved]) expect(asPrinted(readOutput(JSON.stringify(line)) as Written)).toEqual(line);
  });

  it('fits an error with causes, however many', () => {
    const error = { type: 'Error', message: 'no', cause: { type: 'Error', message: 'why', errors: [] } };
    const answer = { node: 'fred', status: 'error', failure: 'exception', output: [], ...error };
    const line = { ...thirtyNodes.call, nodes: [answer] };
    expect(readOutput(JSON.stringify(line))).toEqual(line);
    const wrong = { ...answer, cause: { type: 'Error' } };
    expect(() => readOutput(JSON.stringify({ ...line, nodes: [wrong] }))).toThrow(/^the output does not match/);
  });

  it.each([{ command: 'dance' }, { command: 'ping' }, { ...thirtyNodes.push, outcome: 'fine' }, {}])(
    'fits nothing else: %o',
    value => expect(() => readOutput(JSON.stringify(value))).toThrow(/^the output does not match its schema/),
  );
});
