import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { type Command, MAX_COMMAND_BYTES } from '../../../../controller/src/api/command.ts';
import { linesOf } from '../../../../controller/src/api/lines.ts';
import type { Client, Report } from '../../../../controller/src/api/report.ts';
import type { ResultOf } from '../../../../controller/src/api/results.ts';
import { type Run, serveControl } from '../../../../controller/src/server/control-server.ts';
import { PROTOCOL } from '../../../../protocol/version.ts';
import { latch, recordingLog } from '../../fixtures.ts';

const ping: Command = { type: 'ping', node: null, cookie: null, timeoutMs: 1_000 };
const pong: ResultOf<'ping'> = { command: 'ping', nodes: [{ node: 'fred', status: 'pong', ms: 1 }] };

type Holds = Client['holds'];

let folder: string;
const servers: AsyncDisposable[] = [];
const log = recordingLog();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-control-'));
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server[Symbol.asyncDispose]()));
  log.logged.length = 0;
  rmSync(folder, { recursive: true });
});

/** Sends bytes to a controller that does `run`, and reads until it ends the connection. */
async function send(bytes: string, run: Run = () => Promise.resolve(pong)) {
  const commands: Command[] = [];
  const path = join(folder, 'controller.sock');
  const remember: Run = (command, ...client) => {
    commands.push(command);
    return run(command, ...client);
  };
  servers.push(await serveControl(path, remember, log));
  const socket = createConnection(path);
  socket.write(bytes);
  const lines = (await text(socket)).split('\n').filter(line => line !== '');
  return { commands, reports: lines.map(reportIn) };
}

/** The report in a line, which says its version too. */
function reportIn(line: string): unknown {
  const { protocol, ...report } = JSON.parse(line) as { readonly protocol: number };
  expect(protocol).toBe(PROTOCOL);
  return report;
}

const lineOf = (command: object): string => `${JSON.stringify(command)}\n`;

describe('a command on the socket', () => {
  it('gets its result, and the connection ends', async () => {
    expect(await send(lineOf(ping))).toEqual({ commands: [ping], reports: [{ type: 'result', result: pong }] });
  });

  it('is refused when a command line of another release sent it, and runs when that is the release before', async () => {
    const foreign = await send(lineOf({ protocol: PROTOCOL + 2, type: 'of a later release' }));
    expect(foreign.commands).toEqual([]);
    const message = expect.stringContaining(`another release (protocol ${PROTOCOL + 2}`) as string;
    expect(foreign.reports).toEqual([{ type: 'failed', code: 'decode', message }]);
    expect((await send(lineOf({ protocol: PROTOCOL - 1, ...ping }))).commands).toEqual([ping]);
  });

  it('is the only one of its connection', async () => {
    expect((await send(lineOf(ping) + lineOf(ping))).reports).toHaveLength(1);
  });

  it.each([
    ['is not JSON', 'hello\n', 'Invalid JSON'],
    ['is not an object', 'null\n', 'Invalid type'],
    ['has an unknown type', lineOf({ ...ping, type: 'dance' }), 'type: Invalid type'],
    ['has a field of a wrong type', lineOf({ ...ping, timeoutMs: 'soon' }), 'timeoutMs: Invalid type'],
    ['lacks a field', lineOf({ ...ping, node: undefined }), 'node: Invalid key'],
    ['has no time to wait', lineOf({ ...ping, timeoutMs: 0 }), 'timeoutMs: Invalid value'],
    [
      'names what cannot be a module',
      lineOf({ ...ping, type: 'history', module: '../x' }),
      '"../x" is not a module name',
    ],
    ['is too long', 'x'.repeat(MAX_COMMAND_BYTES + 1), `the command is longer than ${MAX_COMMAND_BYTES} bytes`],
  ])('that %s gets one failed report, and does not run', async (_, bytes, problem) => {
    const { commands, reports } = await send(bytes);
    expect(reports).toEqual([{ type: 'failed', code: 'decode', message: expect.stringContaining(problem) as string }]);
    expect({ commands, logged: log.logged }).toEqual({ commands: [], logged: [] });
  });
});

it('a command is told that its client has gone, and a controller that it has ended', async () => {
  const path = join(folder, 'controller.sock');
  const { opened: started, open: start } = latch();
  const { opened: left, open: leave } = latch();
  const wait: Run = async (_, report, signal) => {
    start();
    await once(signal, 'abort');
    leave();
    report({ type: 'warning', message: 'nobody reads this' });
    throw signal.reason;
  };
  servers.push(await serveControl(path, wait, log));
  const socket = createConnection(path);
  socket.write(lineOf(ping));
  await started;
  socket.destroy();
  await left;
  await expect.poll(() => log.logged).toMatchObject([{ level: 'info' }]);
});

describe('a server that finishes', () => {
  it('waits for the command that runs, and takes no other', async () => {
    const [started, ended] = [latch(), latch()];
    const path = join(folder, 'controller.sock');
    const run: Run = async () => {
      started.open();
      await ended.opened;
      return pong;
    };
    const server = await serveControl(path, run, log);
    servers.push(server);
    const socket = createConnection(path);
    socket.write(lineOf(ping));
    await started.opened;
    const finished = server.finish(60_000).then(() => server[Symbol.asyncDispose]());
    await expect(once(createConnection(path), 'connect')).rejects.toThrow('ENOENT');
    ended.open();
    expect(reportIn(await text(socket))).toEqual({ type: 'result', result: pong });
    await finished;
  });

  it('waits also for what a client has left that writes heads', async () => {
    const [started, left, ended] = [latch(), latch(), latch()];
    const path = join(folder, 'controller.sock');
    const run: Run = async (_, __, signal) => {
      started.open();
      await once(signal, 'abort');
      left.open();
      await ended.opened;
      return pong;
    };
    const server = await serveControl(path, run, log);
    servers.push(server);
    const socket = createConnection(path);
    socket.write(lineOf(ping));
    await started.opened;
    socket.destroy();
    await left.opened;
    let isFinished = false;
    const finished = server.finish(60_000).then(() => (isFinished = true));
    await new Promise(resolve => setImmediate(resolve));
    expect(isFinished).toBe(false);
    ended.open();
    await finished;
  });

  /** What a client is told of a command that says what holds and then runs on, when its server finishes. */
  async function toldAtEnd(command: object, ends: (holds: Holds) => Promise<unknown>, timeoutMs: number) {
    const path = join(folder, 'controller.sock');
    const started = latch();
    const run: Run = async (_, __, signal, holds) => {
      const ended = ends(holds);
      started.open();
      await Promise.race([ended, once(signal, 'abort')]);
      signal.throwIfAborted();
      return pong;
    };
    const server = await serveControl(path, run, log);
    servers.push(server);
    const socket = createConnection(path);
    socket.write(lineOf({ cookie: null, timeoutMs: 1_000, ...command }));
    await started.opened;
    const told = text(socket);
    await server.finish(timeoutMs);
    await server[Symbol.asyncDispose]();
    const line = await told;
    return line === '' ? null : reportIn(line);
  }
  const forever = new Promise(() => undefined);
  const dev = { type: 'dev', author: 'wilma', strict: false };
  const push = { type: 'push', author: 'wilma', change: randomUUID(), modules: ['demo'], force: false, check: true };

  it.each([
    { type: 'tail', modules: [], node: null, level: 'info', grep: '' },
    { type: 'events', since: null, follow: true },
    dev,
  ])('ends what follows, and tells it what holds: %o', async follows => {
    const holding = async (holds: Holds): Promise<unknown> => {
      holds('go on with --since 12');
      return forever;
    };
    const message = 'the controller ends: go on with --since 12';
    expect(await toldAtEnd(follows, holding, 60_000)).toEqual({ type: 'failed', code: 'lost', message });
  });

  it('lets what follows write the heads that it has begun to write', async () => {
    const ended = latch();
    const writing = async (holds: Holds): Promise<unknown> => {
      holds('demo is being written', true);
      void ended.opened.then(() => holds('demo is committed', false));
      setImmediate(ended.open);
      return forever;
    };
    const message = 'the controller ends: demo is committed';
    expect(await toldAtEnd(dev, writing, 60_000)).toEqual({ type: 'failed', code: 'lost', message });
  });

  it('does not wait longer than its timeout', async () => {
    const told = await toldAtEnd(ping, () => forever, 10);
    expect(told).toEqual({ type: 'failed', code: 'lost', message: 'the controller ends' });
    const writing = async (holds: Holds): Promise<unknown> => {
      holds('demo is being written', true);
      return forever;
    };
    const message = 'the controller ends: demo is being written';
    expect(await toldAtEnd(dev, writing, 10)).toEqual({ type: 'failed', code: 'unknown-result', message });
  });

  it('says nothing of a change that is not finished then: its client looks the result up', async () => {
    const change = { ...push, dryRun: false, canary: null };
    expect(await toldAtEnd(change, () => forever, 10)).toBe(null);
  });
});

it('a client that ends its side is told at once what holds, and nothing after that', async () => {
  const path = join(folder, 'controller.sock');
  const { opened: started, open: start } = latch();
  const finish: Run = async (_, report, signal, holds) => {
    holds('nothing was changed');
    holds('demo is committed');
    start();
    await once(signal, 'abort');
    // What has written heads finishes them.
    report({ type: 'progress', phase: 'commit', answered: 3, expected: 3 });
    return pong;
  };
  servers.push(await serveControl(path, finish, log));
  const socket = createConnection(path);
  socket.write(lineOf(ping));
  await started;
  socket.end();
  const message = 'interrupted: demo is committed';
  expect(reportIn(await text(socket))).toEqual({ type: 'failed', code: 'interrupted', message });
});

it('takes the place of a socket that a killed controller left behind', async () => {
  writeFileSync(join(folder, 'controller.sock'), '');
  expect((await send(lineOf(ping))).reports).toHaveLength(1);
});

describe('a report that does not fit its schema', () => {
  it('is logged, and fails the command if it is the result', async () => {
    const wrong = { ...pong, nodes: [{ node: 'fred', status: 'pong' as const, ms: Infinity }] };
    const { reports } = await send(lineOf(ping), () => Promise.resolve(wrong));
    expect(reports).toEqual([
      {
        type: 'failed',
        code: 'fault',
        message: expect.stringMatching(/^the controller made a malformed report: result\.nodes\.0\.ms: .*$/) as string,
      },
    ]);
    expect(log.logged).toMatchObject([{ level: 'error', fields: { report: 'result' } }]);
  });

  it('is logged, and becomes a warning if the command goes on', async () => {
    const wrong: Report = { type: 'progress', phase: 'prepare', answered: -1, expected: 3 };
    const { reports } = await send(lineOf(ping), (_, report) => {
      report(wrong);
      return Promise.resolve(pong);
    });
    expect(reports).toMatchObject([{ type: 'warning' }, { type: 'result' }]);
    expect(log.logged).toMatchObject([{ level: 'error', fields: { report: 'progress' } }]);
  });
});

describe('a client that does not read', () => {
  it('has what modules log dropped, so that the controller holds little of it, and is told how much', async () => {
    const path = join(folder, 'controller.sock');
    const entry = {
      at: 1,
      module: 'demo',
      revision: 'a'.repeat(64),
      level: 'info',
      nodes: ['fred'],
      count: 1,
    } as const;
    const entries = Array.from({ length: 100 }, () => ({ ...entry, text: 'x'.repeat(1_000) }));
    const sent = latch();
    const told = { shown: 0, dropped: 0 };
    const run: Run = async (_, report) => {
      for (let index = 0; index < 200; index += 1) report({ type: 'logged', entries, dropped: 0 });
      sent.open();
      while (told.dropped === 0) {
        await new Promise(resolve => setTimeout(resolve, 5));
        report({ type: 'logged', entries: [], dropped: 0 });
      }
      return pong;
    };
    servers.push(await serveControl(path, run, log));
    const socket = createConnection(path).pause();
    socket.write(lineOf(ping));
    await sent.opened;
    for await (const line of linesOf(socket)) {
      const report = JSON.parse(line) as Report;
      if (report.type !== 'logged') break;
      told.shown += report.entries.length;
      told.dropped += report.dropped;
    }
    expect(told.shown).toBeLessThan(1_000);
    expect(told.shown + told.dropped).toBe(20_000);
  });
});

it('reports the begin and the end of each phase, however soon they come', async () => {
  const phases = ['compile', 'check'].flatMap(phase =>
    [0, 1, 2, 3].map((answered): Report => ({ type: 'progress', phase, answered, expected: 3 })),
  );
  const { reports } = await send(lineOf(ping), (_, report) => {
    for (const each of phases) report(each);
    return Promise.resolve(pong);
  });
  expect(reports.slice(0, -1)).toEqual([phases[0], phases[3], phases[4], phases[7]]);
});
