import { describe, expect } from 'vitest';

import { readOutput } from '../../../support/commands/output-schema.ts';
import { it } from './cluster.ts';

const THROWS = `export const fail = (): never => {\n  throw new Error('no', { cause: new TypeError('why') });\n};\n`;

describe('the output of --json', () => {
  it('matches its schema, for every command', async ({ cluster }) => {
    const seen = new Set<string>();
    let previous: readonly string[] = [];
    const run = async (...args: string[]): Promise<void> => {
      const { stdout } = await cluster.hotcast(...args, '--json');
      for (const line of stdout.trimEnd().split('\n')) {
        const output = readOutput(line);
        seen.add('command' in output ? output.command : Object.keys(output).join(' '));
        if ('command' in output && output.command === 'keys rotate') previous = output.previous;
      }
    };
    cluster.writeModule('json', THROWS);
    await run('push', 'json', '--dry-run');
    await run('push', 'json', '--message', 'a first one');
    cluster.writeModule('json', `${THROWS}export const two = 2;\n`);
    await run('push', 'json', '--canary', '1', '--watch', '100ms');
    await run('promote', 'json');
    await run('compile', 'json', '--node', 'fred');
    await run('rollback', 'json');
    await run('push', 'json', '--without', 'fred');
    for (const command of ['bans', 'nodes', 'version', 'doctor', 'status', 'ping', 'audit', 'events', 'history'])
      await run(command);
    await run('bans', '--lift', 'json');
    await run('call', 'json.fail()', '--stack');
    await run('call', 'json.two()');
    await run('errors', 'json');
    await run('soft-purge', 'json');
    await run('repair', 'json');
    await run('history', 'json');
    const [newest] = await cluster.history('json');
    await run('result', newest?.push ?? '');
    await run('remove', 'json', '--state');
    cluster.writeModule('json', 'export const x = ;\n');
    await run('push', 'json');
    await run('completion', 'modules');
    const names = (await cluster.nodes()).map(({ node }) => `${node}\n`);
    expect((await cluster.hotcast('completion', 'nodes')).stdout).toBe(names.join(''));
    await run('keys', 'rotate');
    const [before = ''] = previous;
    await run('keys', 'revoke', before);
    const restored = 'hotcast backup - > /tmp/json.backup && hotcast restore - --json < /tmp/json.backup';
    const { stdout } = await cluster.exec('controller', ['sh', '-c', restored]);
    expect(readOutput(stdout)).toMatchObject({ command: 'restore' });
    expect([...seen].toSorted()).toEqual(
      (
        'audit bans call compile doctor dry-run errors event events failed history keys revoke keys rotate lift names nodes ping promote purge push remove repair ' +
        'result rollback status version'
      )
        .replaceAll('keys r', 'keys_r')
        .split(' ')
        .map(name => name.replace('_', ' ')),
    );
  });
});
