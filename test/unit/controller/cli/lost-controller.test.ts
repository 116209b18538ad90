import { once } from 'node:events';
import { createServer } from 'node:net';

import { describe, expect, it, vi } from 'vitest';

import type { ResultOf } from '../../../../controller/src/api/results.ts';
import type { Run } from '../../../../controller/src/server/control-server.ts';
import { CHANGE, controller, hotcast, servers, socketPath, useSocket } from './run-cli.ts';

useSocket();

describe('without a controller', () => {
  it('exits 2 with one line', async () => {
    // The time limit for the start of a controller is over when the first attempt fails.
    vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValue(60_000);
    const { status, out, err } = await hotcast(['push', 'demo']);
    expect({ status, out, err }).toEqual({
      status: 2,
      out: [],
      err: ['hotcast: no controller listens in this container; nothing was sent (see: docker compose logs)'],
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
      err: ['hotcast: the controller ended before the result (see: docker compose logs)'],
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
        err: [
          expect.stringMatching(/^hotcast: the controller sent a malformed report: .+ \(see: docker compose logs\)$/),
        ],
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
      err: [`warning: the controller ended before the result (see: docker compose logs); ${lookUp}`],
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
