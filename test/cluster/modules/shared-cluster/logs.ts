import { describe, expect } from 'vitest';

import type { Logged } from '../../../../controller/src/api/report.ts';
import type { ResultOf } from '../../../../controller/src/api/results.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import type { Cluster } from '../../../support/cluster/cluster.ts';
import { EndlessCommand } from '../../../support/commands/endless-command.ts';
import { SubjectRecorder } from '../../../support/cluster/subject-recorder.ts';
import { it } from './cluster.ts';

/** A module that prints and throws. */
const LOUD = `
interface Wish { text: string }

export function print(wish: Wish) {
  console.log(wish.text);
}

export function warn(wish: Wish) {
  console.error(wish.text);
}

export function refuse(wish: Wish): never {
  throw new RangeError(wish.text);
}

export function later(wish: Wish) {
  setTimeout(() => {
    throw new TypeError(wish.text);
  }, 1);
}
`;

type Entry = Logged['entries'][number];

/** `hotcast tail`, and what it has shown. */
async function tailing(cluster: Cluster, ...args: readonly string[]) {
  const command = await EndlessCommand.start(cluster, 'is shown until Ctrl+C', 'tail', ...args);
  const entries = (): Entry[] => command.output.flatMap(line => ('logged' in line ? [line.logged] : []));
  return {
    entries,
    texts: () => entries().map(({ text }) => text.split('\n', 1)[0]),
    end: () => command.end(),
    [Symbol.asyncDispose]: () => command[Symbol.asyncDispose](),
  };
}

describe('tail', () => {
  it('shows what modules print and throw, on all nodes, folded, and nothing once it has ended', async ({ cluster }) => {
    cluster.writeModule('loud', LOUD);
    const { revision } = await cluster.push('loud');
    await using tail = await tailing(cluster);
    await cluster.call(`loud.print({ text: 'like a boss' })`);
    const common = { module: 'loud', revision };
    const bosses = (): Entry[] => tail.entries().filter(({ text }) => text === 'like a boss');
    await expect
      .poll(() => [...new Set(bosses().flatMap(({ nodes }) => nodes))].toSorted())
      .toEqual(['bambam', 'fred']);
    expect(bosses()[0]).toMatchObject({ ...common, level: 'info' });

    await cluster.call(`loud.refuse({ text: 'not today' })`, '--node', 'fred');
    await cluster.call(`loud.later({ text: 'lost' })`, '--node', 'bambam');
    const at = `loud@${shortRevision(revision)} modules/loud.ts`;
    const refused = {
      ...common,
      level: 'error',
      nodes: ['fred'],
      text: expect.stringContaining(`${at}:13:9`) as string,
    };
    const lost = {
      ...common,
      level: 'error',
      nodes: ['bambam'],
      text: expect.stringContaining(`${at}:18:11`) as string,
    };
    for (const each of [refused, lost]) await expect.poll(tail.entries).toContainEqual(expect.objectContaining(each));
    expect(tail.texts()).toContain('loud.refuse: RangeError: not today');

    expect(await tail.end()).toBe(130);
    const subjects = subjectsOf(cluster.cookie);
    await using recorder = await SubjectRecorder.start(await cluster.natsOptions(), subjects.logs);
    await cluster.call(`loud.print({ text: 'unheard' })`);
    for (let heartbeat = 0; heartbeat < 2; heartbeat += 1) await recorder.next(subjects.event('fred', 'heartbeat'));
    expect(recorder.subjects).toEqual([]);
  });

  it('shows only what was asked for: a node, a level, a text, modules', async ({ cluster }) => {
    cluster.writeModule('loud', LOUD);
    cluster.writeModule('louder', LOUD.replaceAll('loud', 'louder'));
    await cluster.push('loud', '--force');
    await cluster.push('louder', '--force');
    await using onFred = await tailing(cluster, '--node', 'fred');
    await using warnings = await tailing(cluster, '--level', 'warn', '--grep', 'ouch');
    await using louder = await tailing(cluster, 'louder');
    await cluster.call(`loud.print({ text: 'ouch, no warning' })`);
    await cluster.call(`loud.warn({ text: 'another warning' })`);
    await cluster.call(`loud.warn({ text: 'ouch' })`);
    await cluster.call(`louder.print({ text: 'last' })`);
    await expect.poll(onFred.texts).toEqual(['ouch, no warning', 'another warning', 'ouch', 'last']);
    expect(onFred.entries().map(({ nodes }) => nodes)).toEqual([['fred'], ['fred'], ['fred'], ['fred']]);
    // Entries of several nodes are one if they come within a quarter of a second.
    await expect.poll(() => new Set(louder.texts())).toEqual(new Set(['last']));
    await expect.poll(() => new Set(warnings.texts())).toEqual(new Set(['ouch']));
  });

  it('refuses a node that does not exist', async ({ cluster }) => {
    const { exitCode, stderr } = await cluster.hotcast('tail', '--node', 'nobody');
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('no node "nobody"') as string,
    });
  });
});

describe('errors', () => {
  it('gives the last errors of each revision of a module, although nobody tailed it', async ({ cluster }) => {
    cluster.writeModule('faulty', LOUD);
    const first = (await cluster.push('faulty')).revision;
    for (let call = 0; call < 3; call += 1) await cluster.call(`faulty.refuse({ text: 'not today' })`);
    cluster.writeModule('faulty', `${LOUD}\n// another revision\nexport const more = 1;\n`);
    const second = (await cluster.push('faulty')).revision;
    await cluster.call(`faulty.refuse({ text: 'not either' })`, '--node', 'fred');
    const { exitCode, stdout } = await cluster.hotcast('errors', 'faulty', '--json');
    const { nodes } = JSON.parse(stdout) as ResultOf<'errors'>;
    const kept = (text: string, count: number) => ({
      count,
      where: 'faulty.refuse',
      error: { type: 'RangeError', message: text, stack: expect.stringContaining('modules/faulty.ts:13:9') as string },
    });
    expect({ exitCode, nodes }).toMatchObject({
      exitCode: 0,
      nodes: [
        {
          node: 'fred',
          revisions: [
            { revision: second, errors: [kept('not either', 1)] },
            { revision: first, errors: [kept('not today', 3)] },
          ],
        },
        { node: 'bambam', revisions: [{ revision: first, errors: [kept('not today', 3)] }] },
      ],
    });
    const text = (await cluster.hotcast('errors', 'faulty')).stdout;
    expect(text).toMatch(/ fred ×1\n {4}faulty\.refuse: RangeError: not either\n/);
    expect(text).toMatch(/ 2 nodes ×6\n {4}faulty\.refuse: RangeError: not today\n/);
    expect((await cluster.hotcast('errors', 'loud-not')).stdout).toBe('no errors of loud-not are known\n');
  });
});
