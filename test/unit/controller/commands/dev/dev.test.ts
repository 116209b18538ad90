import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pace } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SourceError } from '../../../../../controller/src/api/diagnostic.ts';
import type { Saved } from '../../../../../controller/src/api/report.ts';
import type { PushResult } from '../../../../../controller/src/api/results.ts';
import { watchFolder } from '../../../../../controller/src/build/sources/watch-folder.ts';
import { pushSaves } from '../../../../../controller/src/commands/dev/dev.ts';
import { Saves } from '../../../../../controller/src/commands/dev/saves.ts';
import { Session } from '../../../../../controller/src/commands/dev/session.ts';
import { VersionError } from '../../../../../controller/src/rollout/versions.ts';

const SAVES = 200;

const committed: PushResult = {
  command: 'push',
  modules: [],
  unchanged: [],
  affected: [],
  outcome: 'committed',
  detail: '',
  nodes: [],
  times: { compile: 2_000, prepare: 500, write: 1, commit: 499, skew: 0 },
};

let folder: string;
let stop: AbortController;
/** What the nodes run: the sources of modules. */
let running: Map<string, string>;
let told: Saved[];
/** What comes of the next push, before it can succeed. */
let failures: (Error | PushResult['outcome'])[];

const read = (module: string): string => readFileSync(join(folder, `${module}.ts`), 'utf8');
const save = (module: string, source: string): void => writeFileSync(join(folder, `${module}.ts`), source);

function error(code: 'compile' | 'types', module: string): SourceError {
  const at = { text: 'no', file: `modules/${module}.ts`, line: 1, column: 1, source: 'x', length: 1 };
  return new SourceError(code, `${module}: an error; nothing was sent`, [at]);
}

/** A push that takes 20 ms. A source with BROKEN does not compile, nodes refuse one with REFUSED. All modules go, or none. */
async function push(modules: readonly string[]): Promise<PushResult> {
  const sources = modules.map(module => [module, read(module)] as const);
  const broken = sources.find(([, source]) => source.includes('BROKEN'));
  await pace(20);
  if (broken !== undefined) throw error('compile', broken[0]);
  const failure = failures.shift();
  if (failure instanceof Error) throw failure;
  const revision = '1'.repeat(64);
  if (sources.some(([, source]) => source.includes('REFUSED'))) {
    return { ...committed, outcome: 'refused', modules: modules.map(module => ({ module, revision })) };
  }
  for (const [module, source] of sources) running.set(module, source);
  return { ...committed, outcome: failure ?? 'committed', modules: modules.map(module => ({ module, revision })) };
}

async function watch({ strict = false } = {}): Promise<AsyncDisposable> {
  const { signal } = stop;
  const saves = new Saves(signal);
  const watcher = await watchFolder(folder, folder, path => saves.add(path));
  const report = (message: { readonly type: string }): void => {
    if (message.type === 'saved') told.push(message as Saved);
  };
  const session = new Session({
    wanted: async saved =>
      readdirSync(folder)
        .map(file => file.replace('.ts', ''))
        .filter(module => (saved.has(module) || running.has(module)) && running.get(module) !== read(module)),
    push,
    checkTypes: strict
      ? null
      : async modules => {
          const mistyped = modules.find(module => read(module).includes('MISTYPED'));
          if (mistyped !== undefined) throw error('types', mistyped);
        },
    report,
    signal,
  });
  pushSaves(saves, session, report, signal).catch(() => undefined);
  return watcher;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-dev-'));
  [stop, running, told, failures] = [new AbortController(), new Map(), [], []];
});

afterEach(() => {
  stop.abort(new Error('the test is over'));
  rmSync(folder, { recursive: true });
});

const lastIs = (expected: object) => expect.poll(() => told.at(-1)).toMatchObject(expected);

describe('dev', () => {
  it('brings the last of 200 saves to the nodes, of which some are broken', async () => {
    await using _watching = await watch();
    for (let count = 1; count <= SAVES; count += 1) {
      save('demo', count % 7 === 0 ? 'BROKEN' : String(count));
      await pace(5);
    }
    await expect.poll(() => running.get('demo')).toBe(String(SAVES));
    await lastIs({ saved: ['demo'], problem: null, broken: [], result: { outcome: 'committed' } });
  });

  it('says how long it took until the last node had answered', async () => {
    await using _watching = await watch();
    save('demo', '1');
    await lastIs({ result: { outcome: 'committed' } });
    expect(told.at(-1)?.ms).toBeGreaterThanOrEqual(3_000);
  });

  it('does not hold other modules for a broken one, and names it until it is repaired', async () => {
    await using _watching = await watch();
    save('demo', 'BROKEN');
    await lastIs({
      saved: ['demo'],
      result: null,
      problem: expect.stringContaining('modules/demo.ts:1:1: no') as string,
    });
    save('other', '1');
    await lastIs({ saved: ['other'], problem: null, broken: ['demo: modules/demo.ts:1:1: no'] });
    expect([...running.keys()]).toEqual(['other']);
    save('demo', '1');
    await lastIs({ saved: ['demo'], problem: null, broken: [] });
  });

  it('does not hold other modules for one that nodes refuse, and shows it once', async () => {
    await using _watching = await watch();
    save('refused', 'REFUSED');
    await lastIs({ saved: ['refused'], result: { outcome: 'refused' }, broken: [] });
    save('demo', '1');
    await lastIs({ saved: ['demo'], result: { outcome: 'committed' }, broken: ['refused: nodes refused it'] });
    save('demo', '2');
    await expect.poll(() => running.get('demo')).toBe('2');
    save('refused', '1');
    await lastIs({ saved: ['refused'], result: { outcome: 'committed' }, broken: [] });
    expect(told.filter(({ result }) => result?.outcome === 'refused')).toHaveLength(1);
  });

  it('says when a broken module is as it was pushed again', async () => {
    await using _watching = await watch();
    save('demo', '1');
    await lastIs({ result: { outcome: 'committed' } });
    save('demo', 'BROKEN');
    await lastIs({ result: null, broken: [] });
    save('demo', '1');
    await lastIs({ saved: ['demo'], result: null, problem: null, broken: [] });
  });

  it('tells of type errors after the code is live, and until they are repaired', async () => {
    await using _watching = await watch();
    save('demo', 'MISTYPED');
    await lastIs({ saved: ['demo'], problem: expect.stringContaining('it is live all the same') as string });
    expect(running.get('demo')).toBe('MISTYPED');
    save('other', '1');
    await lastIs({ saved: ['other'], broken: ['demo: modules/demo.ts:1:1: no'] });
    save('demo', '1');
    await lastIs({ saved: ['demo'], problem: null, broken: [] });
  });

  it('tries again by itself when a push reached nobody, or another was faster', async () => {
    await using _watching = await watch({ strict: true });
    failures = [new VersionError('nothing was sent: fred is of another release')];
    save('demo', '1');
    await lastIs({ result: null, problem: 'nothing was sent: fred is of another release' });
    await expect.poll(() => running.get('demo')).toBe('1');
    await lastIs({ result: { outcome: 'committed' } });
  });
});
