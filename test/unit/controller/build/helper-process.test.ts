import { type ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { stop } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { compile } from '../../../../controller/src/build/compile.ts';
import { esbuildHelper, esbuildService } from '../../../../controller/src/build/esbuild-service.ts';
import { SourceFiles } from '../../../../controller/src/build/sources/source-files.ts';
import { TypeCheck } from '../../../../controller/src/build/type-check.ts';
import { ROOT } from '../../../support/shell.ts';
import { projects } from '../../projects.ts';

const project = projects();
const started: ChildProcess[] = [];
const note = (message: unknown): void => {
  if (typeof message === 'object' && message !== null && 'process' in message) {
    started.push(message.process as ChildProcess);
  }
};

beforeAll(async () => {
  subscribe('child_process', note);
  // The files of this thread share esbuild, which can run already.
  esbuildService.kill();
  await stop();
});
afterAll(() => void unsubscribe('child_process', note));

/** The processes of a program that run now. */
function running(program: RegExp): ChildProcess[] {
  return started.filter(
    ({ spawnfile, exitCode, signalCode }) =>
      program.test(basename(spawnfile)) && exitCode === null && signalCode === null,
  );
}

async function end(program: RegExp, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const processes = running(program);
  expect(processes).toHaveLength(1);
  await Promise.all(
    processes.map(async child => {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }),
  );
}

describe('the process of esbuild', () => {
  it('is replaced when it is killed while nothing compiles, and says how it ended', async () => {
    const modulesDir = project({ 'modules/demo.ts': 'export const f = 1;\n' });
    await esbuildHelper.start();
    esbuildHelper.takeEnd();
    await end(/^esbuild/);
    expect(esbuildHelper.takeEnd()).toBe('esbuild was killed (SIGKILL), most likely for memory');
    expect(await compile(modulesDir, 'demo')).toMatchObject({ bundle: { exports: ['f'] } });
    expect(esbuildHelper.takeEnd()).toBeNull();
    await end(/^esbuild/, 'SIGTERM');
    expect(esbuildHelper.takeEnd()).toBe('esbuild was killed (SIGTERM)');
  });

  it('fails the compilation that it is killed under in one line, and none after it', async () => {
    const modulesDir = project({ 'modules/demo.ts': 'export const f = 1;\n' });
    await esbuildHelper.start();
    // It stands still, so that it does not finish first.
    running(/^esbuild/)[0]?.kill('SIGSTOP');
    const compiling = compile(modulesDir, 'demo');
    running(/^esbuild/)[0]?.kill('SIGKILL');
    await expect(compiling).rejects.toMatchObject({
      code: 'unavailable',
      message: 'esbuild was killed (SIGKILL), most likely for memory; nothing was sent (push again)',
    });
    expect(await compile(modulesDir, 'demo')).toMatchObject({ bundle: { exports: ['f'] } });
  });
});

describe("the type checker's process", () => {
  it(
    'is replaced when it is killed; a check that needs it then fails at once, in one line',
    {
      timeout: 30_000,
    },
    async () => {
      const modulesDir = project({ 'modules/demo.ts': 'export const f: number = "";\n' });
      symlinkSync(join(ROOT, 'node_modules'), join(dirname(modulesDir), 'node_modules'));
      await using typeCheck = new TypeCheck(modulesDir, dirname(modulesDir));
      const files = Promise.resolve([join(modulesDir, 'demo.ts')]);
      expect(await typeCheck.check(files)).toHaveLength(1);
      await end(/^ts/);
      expect(await typeCheck.check(files)).toHaveLength(1);
      // It stands still, so that it does not finish first.
      running(/^ts/)[0]?.kill('SIGSTOP');
      const checking = typeCheck.check(files, await new SourceFiles(modulesDir).take(true));
      await setImmediate();
      running(/^ts/)[0]?.kill('SIGKILL');
      await expect(checking).rejects.toMatchObject({
        code: 'unavailable',
        message: 'the type checker was killed (SIGKILL), most likely for memory; nothing was sent (push again)',
      });
      expect(await typeCheck.check(files)).toHaveLength(1);
      expect(running(/^ts/)).toHaveLength(1);
    },
  );

  it('does not outlive the check, nor does a check in which it hangs', { timeout: 30_000 }, async () => {
    const modulesDir = project({ 'modules/demo.ts': 'export const f = 1;\n' });
    symlinkSync(join(ROOT, 'node_modules'), join(dirname(modulesDir), 'node_modules'));
    const typeCheck = new TypeCheck(modulesDir, dirname(modulesDir));
    await typeCheck.check(Promise.resolve([]));
    const [process] = running(/^ts/);
    process?.kill('SIGSTOP');
    const checking = expect(typeCheck.check(Promise.resolve([join(modulesDir, 'demo.ts')]))).rejects.toMatchObject({
      message: 'the type checker was stopped; nothing was sent',
    });
    await typeCheck[Symbol.asyncDispose]();
    await checking;
    if (process?.signalCode === null) await once(process, 'exit');
    expect(running(/^ts/)).toEqual([]);
  });
});
