import { types } from 'node:util';

import { copyData } from './state/copy-data.ts';
import { evaluateTogether, type Member } from './evaluate-together.ts';
import type { HotImports } from './hot-imports.ts';
import type { Environment, Prepared } from './loader.ts';
import { type Refused, refused } from './load-result.ts';
import { accessOf, classOf } from './state/describe-data.ts';
import { changesInPlace, evaluateOver, type Live, migratesFrom } from './state/state-migration.ts';

/** Whether revisions would load; `not_tried` when that can't be found out without a change of the running modules. */
export type DryRun = { status: 'would_load' } | { status: 'not_tried'; detail: string } | Refused;

/** A prepared revision, what it would be evaluated over, and its environment. */
export interface DryRunTarget {
  readonly prepared: Prepared;
  readonly live: Live;
  readonly environment: Omit<Environment, 'data'>;
}

/**
 * Evaluates revisions together on deep copies of the live data, and calls their `codeChange`, in the order of a commit. They
 * all end in the same turn of the event loop, so that none of their timers fires.
 *
 * @param describe describes what they throw on one line.
 */
export function dryRun(
  targets: readonly DryRunTarget[],
  hotImports: HotImports,
  describe: (thrown: unknown) => string,
): DryRun {
  const members: Member[] = [];
  for (const { prepared, live, environment } of targets) {
    if (changesInPlace(prepared) && migratesFrom(prepared, live) !== null) {
      return { status: 'not_tried', detail: `${prepared.bundle.module} changes its data in place` };
    }
    // The new version could change it: close a socket, or give an instance its own class.
    const uncopied = uncopiedIn(live.data);
    if (uncopied !== null) {
      return { status: 'not_tried', detail: `the data of ${prepared.bundle.module} can't be copied: ${uncopied}` };
    }
    // What changes the data makes the copy itself.
    const data = migratesFrom(prepared, live) === null ? copyData(live.data) : live.data;
    members.push({ prepared, evaluate: () => evaluateOver({ ...live, data }, prepared, environment) });
  }
  const tried = evaluateTogether(members, hotImports);
  if (tried.status === 'failed') return refused('on_load_failure', describe(tried.error));
  tried.restore();
  for (const { lifetime } of tried.versions) void lifetime.end();
  return { status: 'would_load' };
}

/** What is not copied of the data, functions left out: `data.pool holds an instance of Pool`; null when all is copied. */
function uncopiedIn(data: Record<string, unknown>): string | null {
  for (const key of Reflect.ownKeys(data)) {
    const uncopied: object[] = [];
    copyData({ item: Reflect.get(data, key) }, value => uncopied.push(value));
    const [value] = uncopied;
    if (value !== undefined) return `${accessOf(String(key))} holds ${describeObject(value)}`;
  }
  return null;
}

function describeObject(value: object): string {
  if (types.isProxy(value)) return 'a Proxy';
  const found = classOf(Object.getPrototypeOf(value) as object);
  return found === null ? 'an object with a prototype of its own' : `an instance of ${found.name}`;
}
