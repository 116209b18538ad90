import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { runCli } from '../../../../controller/src/cli/program.ts';
import type { Command } from '../../../../controller/src/api/command.ts';
import { SourceError } from '../../../../controller/src/api/diagnostic.ts';
import { type Run, serveControl } from '../../../../controller/src/server/control-server.ts';
import type { ResultOf } from '../../../../controller/src/api/results.ts';
import { UsageError } from '../../../../protocol/errors.ts';
import { recordingLog } from '../../fixtures.ts';

const pong: ResultOf<'ping'> = { command: 'ping', nodes: [{ node: 'fred', status: 'pong', ms: 1 }] };
const oneSilent: ResultOf<'ping'> = { command: 'ping', nodes: [...pong.nodes, { node: 'betty', status: 'silent' }] };

/** The id of the change that a command makes. */
const CHANGE = '0b5e6f7c-3d8a-4c1e-9f2b-7a6d5c4b3a29';

let folder: string;
let socketPath: string;
const servers: AsyncDisposable[] = [];
const log = recordingLog();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-cli-'));
  socketPath = join(folder, 'controller.sock');
});

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(servers.splice(0).map(server => server[Symbol.asyncDispose]()));
  log.logged.length = 0;
  rmSync(folder, { recursive: true });
});

/** A controller that does `run`, and remembers the commands that it was sent. */
async function controller(run: Run = () => Promise.resolve(pong)): Promise<Command[]> {
  const commands: Command[] = [];
  const remember: Run = (command, ...client) => {
    commands.push(command);
    return run(command, ...client);
  };
  servers.push(await serveControl(socketPath, remember, log));
  return commands;
}

/** What `hotcast …` shows, and its exit status. */
async function hotcast(args: readonly string[], { interactive = false, author = 'hotcast', change = CHANGE } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  let served = 0;
  const serve = (): Promise<void> => {
    served += 1;
    return Promise.resolve();
  };
  const terminal = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    interactive,
  };
  return {
    status: await runCli(args, { socketPath, author, change, serve, terminal, lookupTimeoutMs: 1_000 }),
    out,
    err,
    served,
  };
}

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
    ['purge demo', { ...common, type: 'purge', module: 'demo', force: true }],
    ['soft-purge demo', { ...common, type: 'purge', module: 'demo', force: false }],
    ['status', { ...quick, type: 'status' }],
    ['history demo', { ...common, type: 'history', module: 'demo' }],
    ['push demo --dry-run', { ...common, ...push, modules: ['demo'], dryRun: true }],
    ['push demo --no-check', { ...common, ...push, modules: ['demo'], check: false }],
    ['compile demo --node fred', { ...common, type: 'compile', module: 'demo', node: 'fred', check: true }],
    ['compile demo --node fred --no-check', { ...common, type: 'compile', module: 'demo', node: 'fred', check: false }],
    ['call demo.add(4,5)', { ...common, type: 'call', call: 'demo.add(4,5)', node: null, stack: false }],
    [
      'call demo.add(4,5) --node betty --stack',
      { ...common, type: 'call', call: 'demo.add(4,5)', node: 'betty', stack: true },
    ],
    ['ping betty', { ...quick, type: 'ping', node: 'betty' }],
    ['ping --cookie rex', { ...quick, cookie: 'rex', type: 'ping', node: null }],
    ['nodes', { ...quick, type: 'nodes', wait: null }],
    ['nodes --wait 30 --timeout 60', { ...common, timeoutMs: 60_000, type: 'nodes', wait: 30 }],
  ])('%s sends its command', async (line, command) => {
    const commands = await controller();
    expect((await hotcast(line.split(' '))).status).toBe(0);
    expect(commands).toEqual([command]);
  });

  it('takes an empty option for none, as make passes it', async () => {
    const commands = await controller();
    await hotcast(['call', 'demo.add(4, 5)', '--node', '', '--cookie', '']);
    await hotcast(['ping', '']);
    await hotcast(['push', 'demo', '--canary', '']);
    await hotcast(['rollback', 'demo', '--to', '']);
    expect(commands).toMatchObject([{ node: null, cookie: null }, { node: null }, { canary: null }, { to: null }]);
  });

  it('says who pushes', async () => {
    const commands = await controller();
    await hotcast(['push', 'demo'], { author: 'wilma' });
    expect(commands).toMatchObject([{ author: 'wilma' }]);
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
  it('shows warnings beside the result', async () => {
    await controller(reporting);
    expect(await hotcast(['ping', '--json'])).toMatchObject({
      out: [JSON.stringify(pong)],
      err: ['warning: the roster does not answer'],
    });
  });

  it('draws progress only for a person, and wipes it before the result', async () => {
    await controller(reporting);
    const drawn: unknown[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation(text => drawn.push(text) > 0);
    await hotcast(['ping']);
    expect(drawn).toEqual([]);
    const { out } = await hotcast(['ping'], { interactive: true });
    expect(drawn).toEqual(['\r\u001B[Kprepare 1/3', '\r\u001B[K']);
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
    expect(err).toEqual(['hotcast: the controller failed: x is not a function (its log says more: make logs)']);
    expect(log.logged).toMatchObject([{ level: 'error', fields: { err: fault } }]);
  });
});

describe('--help', () => {
  it.each([
    '',
    'push',
    'promote',
    'rollback',
    'remove',
    'purge',
    'soft-purge',
    'status',
    'history',
    'result',
    'compile',
    'call',
    'ping',
    'nodes',
    'keys',
    'keys rotate',
    'serve',
  ])('explains "%s" and exits 0', async command => {
    const commands = await controller();
    const { status, out, err, served } = await hotcast([...command.split(' ').filter(word => word !== ''), '--help']);
    expect({ status, err, served }).toEqual({ status: 0, err: [], served: 0 });
    expect(out.join('\n')).toMatch(new RegExp(`^Usage: hotcast ${command}`));
    expect(commands).toEqual([]);
  });

  it('tells the exit statuses', async () => {
    expect((await hotcast(['--help'])).out.join('\n')).toContain('Exit status: 0 done, 1 refused');
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
    [['history', '']],
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

describe('without a controller', () => {
  it('exits 2 with one line', async () => {
    // The time that a controller may take to start is over when the first attempt fails.
    vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValue(60_000);
    const { status, out, err } = await hotcast(['push', 'demo']);
    expect({ status, out, err }).toEqual({
      status: 2,
      out: [],
      err: ['hotcast: no controller listens in this container; nothing was sent (see: make logs)'],
    });
  });

  it('waits for one that is just starting', async () => {
    const answered = hotcast(['ping', 'fred']);
    await controller();
    expect((await answered).status).toBe(0);
  });

  it('says that nothing is known of a call when it ends before the result', async () => {
    const server = createServer(socket => void socket.once('data', () => socket.destroy()));
    await new Promise<void>(resolve => server.listen(socketPath, resolve));
    servers.push(server);
    expect(await hotcast(['ping'])).toMatchObject({
      status: 2,
      err: ['hotcast: the controller ended before the result (see: make logs)'],
    });
  });

  it.each(['hello', '{"type":"dance"}', '{"type":"result","result":{"command":"ping","nodes":[{"node":"fred"}]}}'])(
    'says in one line that a report does not fit: %s',
    async line => {
      const server = createServer(socket => void socket.once('data', () => socket.end(`${line}\n`)));
      await new Promise<void>(resolve => server.listen(socketPath, resolve));
      servers.push(server);
      expect(await hotcast(['ping'])).toMatchObject({
        status: 2,
        out: [],
        err: [expect.stringMatching(/^hotcast: the controller sent a malformed report: .+ \(see: make logs\)$/)],
      });
    },
  );
});

describe('a change whose result is lost', () => {
  const found = {
    command: 'result' as const,
    change: CHANGE,
    outcome: 'committed' as const,
    modules: [{ module: 'demo', revision: 'f'.repeat(64), canary: false }],
    loaded: 3,
    refused: 0,
    silent: 0,
  };
  const lookUp = `looking up what came of it (change ${CHANGE})`;

  /** A controller that loses pushes, and finds this of them. */
  function forgetful(lookup: Partial<Omit<ResultOf<'result'>, 'command'>>): Run {
    return async ({ type }, _report, _signal, holds) => {
      if (type === 'result') return { ...found, ...lookup };
      holds('whether it is committed is not known yet', true);
      throw new Error('timeout');
    };
  }

  it.each([
    ['committed', {}, 0, 'demo@ffffffffffff committed · 3 loaded, 0 refused, 0 silent'],
    ['committed', { silent: 1 }, 3, 'demo@ffffffffffff committed · 3 loaded, 0 refused, 1 silent'],
    ['reverted', { refused: 1 }, 1, 'demo@ffffffffffff reverted · 3 loaded, 1 refused, 0 silent'],
    ['none', { modules: [] }, 2, `change ${CHANGE} wrote nothing; no node has changed`],
    ['unfinished', {}, 5, 'demo@ffffffffffff is written; the nodes have not all answered (see: hotcast status)'],
  ] as const)('is looked up: %s %j has the exit status %i', async (outcome, more, status, line) => {
    await controller(forgetful({ outcome, ...more }));
    expect(await hotcast(['push', 'demo'])).toMatchObject({
      status,
      out: [line],
      err: [expect.stringMatching(`^warning: the controller failed: timeout .*; looking up`) as string],
    });
  });

  it('is asked of the next controller when the first one has ended', async () => {
    const first = createServer(socket => void socket.once('data', () => (first.close(), socket.destroy())));
    await new Promise<void>(resolve => first.listen(socketPath, resolve));
    const pushing = hotcast(['push', 'demo']);
    await once(first, 'close');
    const commands = await controller(async () => found);
    expect(await pushing).toMatchObject({
      status: 0,
      err: [`warning: the controller ended before the result (see: make logs); ${lookUp}`],
    });
    expect(commands).toMatchObject([{ type: 'result', change: CHANGE, modules: ['demo'] }]);
  });

  it('is not known when no controller answers', async () => {
    const server = createServer(socket => void socket.once('data', () => socket.destroy()));
    await new Promise<void>(resolve => server.listen(socketPath, resolve));
    servers.push(server);
    expect(await hotcast(['push', 'demo'])).toMatchObject({
      status: 5,
      out: [],
      err: [expect.anything(), `hotcast: what came of it is not known; see later: hotcast result ${CHANGE}`],
    });
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
