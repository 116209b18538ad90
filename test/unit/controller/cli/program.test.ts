import { describe, expect, it } from 'vitest';

import type { Command } from '../../../../controller/src/api/command.ts';
import { SourceError } from '../../../../controller/src/api/diagnostic.ts';
import { EXIT_STATUSES } from '../../../../controller/src/cli/exit-status.ts';
import type { Run } from '../../../../controller/src/server/control-server.ts';
import { PACKAGE_VERSION } from '../../../../shared/package-version.ts';
import { UsageError } from '../../../../protocol/errors.ts';
import { CHANGE, controller, hotcast, log, oneSilent, pong, useSocket } from './run-cli.ts';

useSocket();

describe('hotcast', () => {
  const common = { cookie: null, timeoutMs: 5_000 };
  const quick = { cookie: null, timeoutMs: 2_000 }; // What nodes answer from memory.
  const push = {
    type: 'push',
    author: 'hotcast',
    change: CHANGE,
    force: false,
    check: true,
    dryRun: false,
    canary: null,
  } as const;

  const canary = (how: object) => ({ ...common, ...push, modules: ['demo'], canary: how }) as Command;

  it.each<[string, Command]>([
    ['push demo', { ...common, ...push, modules: ['demo'] }],
    ['push demo counter --timeout 0.5', { ...common, ...push, timeoutMs: 500, modules: ['demo', 'counter'] }],
    ['push demo --force', { ...common, ...push, modules: ['demo'], force: true }],
    ['push demo --timeout 2m', { ...common, ...push, timeoutMs: 120_000, modules: ['demo'] }],
    ['push demo --canary 10%', canary({ scope: '10%', maxErrors: 0, minCalls: 1, watch: 10_000 })],
    [
      'push demo --canary fred,betty --watch 500ms --max-errors 3 --min-calls 20',
      canary({ scope: 'fred,betty', maxErrors: 3, minCalls: 20, watch: 500 }),
    ],
    ['repair demo', { ...common, type: 'repair', modules: ['demo'], author: 'hotcast', change: CHANGE }],
    ['promote demo', { ...common, type: 'promote', modules: ['demo'], author: 'hotcast', change: CHANGE }],
    ['remove demo', { ...common, type: 'remove', modules: ['demo'], author: 'hotcast', change: CHANGE, state: false }],
    [
      'remove demo --state',
      { ...common, type: 'remove', modules: ['demo'], author: 'hotcast', change: CHANGE, state: true },
    ],
    ['rollback demo', { ...common, type: 'rollback', modules: ['demo'], author: 'hotcast', change: CHANGE, to: null }],
    [
      'rollback demo --to 3f2a',
      { ...common, type: 'rollback', modules: ['demo'], author: 'hotcast', change: CHANGE, to: '3f2a' },
    ],
    ['purge demo', { ...common, type: 'purge', module: 'demo', author: 'hotcast', force: true }],
    [
      'purge demo --node fred',
      { ...common, type: 'purge', module: 'demo', author: 'hotcast', force: true, node: 'fred' },
    ],
    [
      'soft-purge demo --group web',
      { ...common, type: 'purge', module: 'demo', author: 'hotcast', force: false, group: 'web' },
    ],
    ['soft-purge demo', { ...common, type: 'purge', module: 'demo', author: 'hotcast', force: false }],
    ['status', { ...quick, type: 'status', waitMs: 0 }],
    ['status --wait 1m', { ...quick, type: 'status', waitMs: 60_000 }],
    ['history demo', { ...common, type: 'history', module: 'demo' }],
    ['history', { ...common, type: 'history', module: null }],
    ['push demo --dry-run', { ...common, ...push, modules: ['demo'], dryRun: true }],
    ['push demo --no-check', { ...common, ...push, modules: ['demo'], check: false }],
    [
      'compile demo --node fred',
      { ...common, type: 'compile', author: 'hotcast', module: 'demo', node: 'fred', check: true },
    ],
    [
      'compile demo --node fred --no-check',
      { ...common, type: 'compile', author: 'hotcast', module: 'demo', node: 'fred', check: false },
    ],
    ['call demo.add(4,5)', { ...common, type: 'call', call: 'demo.add(4,5)', node: null, stack: false }],
    [
      'call demo.add(4,5) --node betty --stack',
      { ...common, type: 'call', call: 'demo.add(4,5)', node: 'betty', stack: true },
    ],
    ['tail', { ...common, type: 'tail', modules: [], node: null, level: 'info', grep: '' }],
    [
      'tail demo counter --node fred --level warn --grep today',
      { ...common, type: 'tail', modules: ['demo', 'counter'], node: 'fred', level: 'warn', grep: 'today' },
    ],
    ['errors demo --node fred', { ...quick, type: 'errors', module: 'demo', node: 'fred' }],
    ['ping betty', { ...quick, type: 'ping', node: 'betty' }],
    ['ping --cookie rex', { ...quick, cookie: 'rex', type: 'ping', node: null }],
    ['ping --group web', { ...quick, type: 'ping', node: null, group: 'web' }],
    ['errors demo --group web', { ...quick, type: 'errors', module: 'demo', node: null, group: 'web' }],
    ['status --group web', { ...quick, type: 'status', waitMs: 0, group: 'web' }],
    ['nodes --group web', { ...quick, type: 'nodes', wait: null, group: 'web' }],
    [
      'call demo.add(4,5) --group web',
      { ...common, type: 'call', call: 'demo.add(4,5)', node: null, group: 'web', stack: false },
    ],
    ['tail --group web', { ...common, type: 'tail', modules: [], node: null, group: 'web', level: 'info', grep: '' }],
    ['nodes', { ...quick, type: 'nodes', wait: null }],
    ['doctor', { ...quick, type: 'doctor' }],
    ['version', { ...quick, type: 'version', cli: PACKAGE_VERSION }],
    ['--version', { ...quick, type: 'version', cli: PACKAGE_VERSION }],
    ['audit', { ...quick, type: 'audit', since: 0 }],
    ['audit --since 2026-11-27T08:00:00Z', { ...quick, type: 'audit', since: Date.UTC(2026, 10, 27, 8) }],
    ['events', { ...quick, type: 'events', since: null, follow: false }],
    ['events --follow --since 1204567', { ...quick, type: 'events', since: 1_204_567, follow: true }],
    ['nodes --wait 30 --timeout 60', { ...common, timeoutMs: 60_000, type: 'nodes', wait: 30 }],
  ])('%s sends its command', async (line, command) => {
    const commands = await controller();
    expect((await hotcast(line.split(' '))).status).toBe(0);
    expect(commands).toEqual([command]);
  });

  it('sends the span of its caller with each command, and nothing that is no span', async () => {
    const commands = await controller();
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await hotcast(['call', 'demo.add(4,5)'], { traceparent });
    await hotcast(['ping'], { traceparent: 'evil; x' });
    expect(commands[0]).toMatchObject({ type: 'call', traceparent });
    expect(commands[1]).not.toHaveProperty('traceparent');
  });

  it('takes an empty option for none, as make passes it', async () => {
    const commands = await controller();
    await hotcast(['call', 'demo.add(4, 5)', '--node', '', '--group', '', '--cookie', '']);
    await hotcast(['ping', '']);
    await hotcast(['push', 'demo', '--canary', '']);
    await hotcast(['rollback', 'demo', '--to', '']);
    expect(commands).toMatchObject([{ node: null, cookie: null }, { node: null }, { canary: null }, { to: null }]);
    expect(commands[0]).not.toHaveProperty('group');
  });

  it('says who pushes, why, and from which commit', async () => {
    const commands = await controller();
    const sources = { git: { commit: '0123456789ab', dirty: true } };
    const message = ['--message', 'the boss wants it'];
    await hotcast(['push', 'demo', ...message], { author: 'wilma', sources });
    await hotcast(['rollback', 'demo', ...message], { author: 'wilma', sources });
    await hotcast(['compile', 'demo', '--node', 'fred'], { author: 'wilma', sources });
    await hotcast(['repair', 'demo', ...message], { author: 'wilma', sources });
    await hotcast(['bans', '--lift', 'demo', ...message], { author: 'wilma', sources });
    const said = { author: 'wilma', message: 'the boss wants it' };
    expect(commands).toMatchObject([{ ...said, ...sources }, said, sources, said, said]);
    expect(commands[1]).not.toHaveProperty('git');
  });

  it('prints the result for people', async () => {
    await controller();
    expect(await hotcast(['ping', 'fred'])).toEqual({ status: 0, out: ['pong'], err: [], served: 0 });
  });

  it('prints the result as one line of JSON', async () => {
    await controller(() => Promise.resolve(oneSilent));
    const { status, out, err } = await hotcast(['ping', '--json']);
    expect(out.map(line => JSON.parse(line) as unknown)).toEqual([oneSilent]);
    expect({ status, err }).toEqual({ status: 3, err: [] });
  });

  it('gives each of two commands at once its own result', async () => {
    await controller(command => Promise.resolve(command.type === 'ping' && command.node === 'fred' ? pong : oneSilent));
    const [one, two] = await Promise.all([hotcast(['ping', 'fred']), hotcast(['ping'])]);
    expect([one.status, two.status]).toEqual([0, 3]);
  });

  it('runs the controller itself with serve', async () => {
    expect(await hotcast(['serve'])).toEqual({ status: 0, out: [], err: [], served: 1 });
  });
});

const reporting: Run = (_, say) => {
  say({ type: 'progress', phase: 'prepare', answered: 1, expected: 3 });
  say({ type: 'warning', message: 'the roster does not answer' });
  return Promise.resolve(pong);
};

describe('reports on the way', () => {
  it('shows what it does from now on beside the result, and not as a warning', async () => {
    await controller((_, say) => {
      say({ type: 'note', message: 'watching modules' });
      return Promise.resolve(pong);
    });
    expect(await hotcast(['ping'])).toMatchObject({ out: ['pong'], err: ['watching modules'] });
  });

  it('shows warnings beside the result', async () => {
    await controller(reporting);
    expect(await hotcast(['ping', '--json'])).toMatchObject({
      out: [JSON.stringify(pong)],
      err: ['warning: the roster does not answer'],
    });
  });

  it('draws progress for a person, and wipes it before the result', async () => {
    await controller(reporting);
    const drawn: string[] = [];
    const { out } = await hotcast(['ping'], { draw: text => void drawn.push(text) });
    expect(drawn).toEqual(['\r\u001B[Kprepare           ████████░░░░░░░░░░░░░░░░ 1/3', '\r\u001B[K']);
    expect(out).toEqual(['pong']);
  });
});

describe('a command that fails', () => {
  it('says why in one line, and exits 2', async () => {
    await controller(() => Promise.reject(new UsageError('there is no modules/dmeo.ts')));
    expect(await hotcast(['push', 'dmeo'])).toMatchObject({
      status: 2,
      out: [],
      err: ['hotcast: there is no modules/dmeo.ts'],
    });
    expect(log.logged).toEqual([]);
  });

  it('says it as JSON too, with the diagnostics of a compile error', async () => {
    const position = { file: 'modules/demo.ts', line: 1, column: 3, source: 'a b', length: 1 };
    const error = new SourceError('compile', 'demo does not compile', [{ text: 'Expected ";"', ...position }]);
    await controller(() => Promise.reject(error));
    const { status, out, err } = await hotcast(['push', 'demo', '--json']);
    expect(status).toBe(2);
    expect(err.join('\n')).toContain('modules/demo.ts:1:3: Expected ";"');
    expect(out.map(line => JSON.parse(line) as unknown)).toMatchObject([
      { failed: { code: 'compile', diagnostics: [{ file: 'modules/demo.ts', line: 1, column: 3 }] } },
    ]);
  });

  it("is logged by the controller when it is the controller's own fault", async () => {
    const fault = new TypeError('x is not a function');
    await controller(() => Promise.reject(fault));
    const { status, err } = await hotcast(['ping']);
    expect(status).toBe(2);
    expect(err).toEqual([
      'hotcast: the controller failed: x is not a function (its log says more: docker compose logs)',
    ]);
    expect(log.logged).toMatchObject([{ level: 'error', fields: { err: fault } }]);
  });
});

describe('--help', () => {
  const commands =
    'push promote rollback remove repair purge soft-purge status history audit result compile call ping nodes version keys serve'.split(
      ' ',
    );

  it.each(['', 'keys rotate', ...commands])('explains "%s" and exits 0', async command => {
    const sent = await controller();
    const { status, out, err, served } = await hotcast([...command.split(' ').filter(word => word !== ''), '--help']);
    expect({ status, err, served }).toEqual({ status: 0, err: [], served: 0 });
    expect(out.join('\n')).toMatch(new RegExp(`^Usage: hotcast ${command}`));
    expect(sent).toEqual([]);
  });

  it.each(['--help', 'help'])('has examples and the exit statuses: %s', async word => {
    const { status, out } = await hotcast([word]);
    expect(status).toBe(0);
    const text = out.join('\n');
    expect(text).toMatch(/^ {2}hotcast push demo --canary 10% +compile modules/m);
    for (const [code, meaning] of Object.entries(EXIT_STATUSES)) {
      expect(text.split('\n')).toContain(`  ${code.padEnd(5)}${meaning}`);
    }
  });
});

describe('wrong use', () => {
  it.each([
    [[]],
    [['dance']],
    [['push']],
    [['status', 'demo']],
    [['history', 'demo', 'counter']],
    [['rollback']],
    [['push', 'demo', '--canary', '1', '--watch', 'long']],
    [['push', 'demo', '--canary', '1', '--max-errors', '-1']],
    [['push', 'demo', '--canary', '1', '--max-errors', '0.5']],
    [['push', 'demo', '--canary', '1', '--min-calls', '-1']],
    [['ping', '--timeout', '2h']],
    [['push', 'demo', '--fast']],
    [['compile', 'demo']],
    [['compile', 'demo', '--node']],
    [['call']],
    [['call', 'demo.add(1,', '2)']],
    [['ping', '--timeout', 'soon']],
    [['ping', '--timeout', '0']],
    [['ping', '--timeout', '-1']],
    [['ping', '--timeout', '3601']],
    [['nodes', '--wait', 'NaN']],
    [['push', 'Demo']],
    [['rollback', 'demo', 'demo']],
    [['history', 'Demo']],
    [['push', 'demo', '--message', 'x'.repeat(1_001)]],
    [['result', 'x']],
    [['audit', '--since', 'soon']],
  ])('exits 2, says so, and sends nothing: %j', async args => {
    const commands = await controller();
    const { status, out, err } = await hotcast(args);
    expect(status).toBe(2);
    expect(out).toEqual([]);
    expect(err.join('')).not.toBe('');
    expect(commands).toEqual([]);
  });

  it.each([
    ['Demo', /^hotcast: "Demo" is not a module name: it must be a lower-case letter/],
    ['demo', /^hotcast: a module is named twice$/],
  ])('names the wrong module: push demo %s', async (module, line) => {
    await controller();
    const { err } = await hotcast(['push', 'demo', module]);
    expect(err).toEqual([expect.stringMatching(line)]);
  });
});

describe('a value', () => {
  it('can have every character of Unicode, also those at which some readers end a line', async () => {
    const json = JSON.stringify('a\u2028b\u2029c\u0085d\n\r\u{1F600}');
    const printed = `'a\u2028b\u2029c\\x85d\\n\\r\u{1F600}'`;
    const nodes = [{ node: 'fred', status: 'value' as const, json, revision: 'f'.repeat(64), output: ['\u2028'] }];
    const call = `demo.echo(${json})`;
    await controller(async () => ({ command: 'call', call, single: true, stack: false, nodes }));
    expect(await hotcast(['call', call])).toMatchObject({ status: 0, out: [`fred | \u2028\n${printed}`], err: [] });
  });
});
