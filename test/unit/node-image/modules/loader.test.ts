import { describe, expect, it } from 'vitest';

import { Script } from 'node:vm';

import { VersionLogger } from '../../../../node-image/src/sandbox/version-logger.ts';
import {
  compileVersion,
  evaluateVersion,
  type Environment,
  type Prepared,
} from '../../../../node-image/src/modules/loader.ts';
import { KeptValues } from '../../../../node-image/src/modules/state/kept-values.ts';
import type { Version } from '../../../../node-image/src/modules/version.ts';
import { CODE_CACHE_RUNTIME, SCRIPT_OPTIONS, moduleScript } from '../../../../shared/module-script.ts';
import { bundleOf, recordingLog } from '../../fixtures.ts';

const environment = (data: Record<string, unknown> = {}): Environment => ({
  data,
  keeping: new KeptValues().begin(() => undefined),
  log: new VersionLogger(recordingLog(), 'demo', 'a'.repeat(64), Infinity),
  hotImport: () => ({}),
  onError: () => undefined,
  run: (_, body) => body(),
  untilResumed: () => null,
  onRequest: () => () => undefined,
});

const evaluate = (code: string, data: Record<string, unknown> = {}): Version =>
  evaluateVersion(compileVersion(bundleOf('demo', code)), environment(data));

describe('compileVersion', () => {
  it('throws a SyntaxError for code that is not JavaScript', () => {
    expect(() => compileVersion(bundleOf('demo', 'const x = ;'))).toThrow(SyntaxError);
  });

  it('accepts code that ends in a comment', () => {
    expect(evaluate('exports.x = 1; // the end').exports).toEqual({ x: 1 });
  });
});

describe('a code cache', () => {
  const bundle = bundleOf('demo', `exports.text = '${'x'.repeat(16 * 1024)}'; exports.answer = () => 42;`);
  const answer = (prepared: Prepared): unknown =>
    Reflect.apply(evaluateVersion(prepared, environment()).exports['answer'] as () => unknown, undefined, []);
  const data = new Script(moduleScript(bundle.code), SCRIPT_OPTIONS).createCachedData();
  const cache = { runtime: CODE_CACHE_RUNTIME, data };

  it('is used when it fits', () => {
    const prepared = compileVersion({ ...bundle, cache });
    expect(prepared.script.cachedDataRejected).toBe(false);
    expect(answer(prepared)).toBe(42);
  });

  it('is ignored when it was made for another runtime', () => {
    const prepared = compileVersion({ ...bundle, cache: { runtime: 'V8 1.0 pdp11', data: cache.data } });
    expect(prepared.script.cachedDataRejected).toBeUndefined();
    expect(answer(prepared)).toBe(42);
  });

  it('does no harm when V8 rejects it', () => {
    // Of other code: V8 remembers here what it has compiled.
    const other = bundleOf('demo', `${bundle.code}\n`);
    const prepared = compileVersion({ ...other, cache: { runtime: cache.runtime, data: Buffer.from('no cache') } });
    expect(prepared.script.cachedDataRejected).toBe(true);
    expect(answer(prepared)).toBe(42);
  });
});

describe('evaluateVersion', () => {
  it('returns the exports, set one by one or as a whole', () => {
    expect(evaluate('exports.x = 1;').exports).toEqual({ x: 1 });
    expect(evaluate('module.exports = { y: 2 };').exports).toEqual({ y: 2 });
  });

  it('returns separate exports for each evaluation', () => {
    const prepared = compileVersion(bundleOf('demo', 'let n = 0; exports.next = () => ++n;'));
    const [one, two] = [1, 2].map(() => evaluateVersion(prepared, environment()));
    expect(one?.exports).not.toBe(two?.exports);
    expect(one?.exports['next']).not.toBe(two?.exports['next']);
  });

  it.each(['node:path', 'path'])("provides Node's built-in %s", id => {
    expect(evaluate(`exports.base = require('${id}').basename('/a/b');`).exports).toEqual({ base: 'b' });
  });

  it.each(['left-pad', './other', '/etc/passwd', 'node:no-such'])(
    'says which module requires what when %s is no built-in',
    id => {
      expect(() => evaluate(`require('${id}');`)).toThrow(
        `module demo requires ${id}, which is not a built-in module of Node ${process.version}`,
      );
    },
  );

  it('passes the data itself, which a module can not replace', () => {
    const data = {};
    const version = evaluate(
      `'use strict'; __hotcast_hot.data.x = 1; exports.replace = () => { __hotcast_hot.data = {}; };`,
      data,
    );
    expect(data).toEqual({ x: 1 });
    expect(version.exports['replace']).toThrow(TypeError);
  });

  it('shows module and revision in stacks', () => {
    const bundle = bundleOf('demo', `throw new Error('no');`);
    const thrown = (() => {
      try {
        return evaluateVersion(compileVersion(bundle), environment());
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toMatchObject({
      stack: expect.stringContaining(`demo@${bundle.revision.slice(0, 12)}:1:`) as string,
    });
  });
});
