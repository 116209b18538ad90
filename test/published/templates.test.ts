import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { WebSocketClient } from '../support/http/websocket-client.ts';
import { Project } from './project.ts';

const sum = (values: readonly unknown[]): number => values.reduce<number>((all, each) => all + Number(each), 0);

/** Requests a page again and again. Disposing of it ends that, and fails unless each answer was a success. */
function traffic(url: string): AsyncDisposable {
  const statuses = new Set<number>();
  const stopped = new AbortController();
  const requests = (async () => {
    while (!stopped.signal.aborted) {
      const response = await fetch(url);
      await response.text();
      statuses.add(response.status);
      await sleep(10);
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      stopped.abort();
      await requests;
      expect([...statuses]).toEqual([200]);
    },
  };
}

// docs/your-project.md has the template `minimal`: see its test.
describe('a project from the packed packages', { timeout: 600_000 }, () => {
  it('http: answers requests while an edit is pushed, and keeps its visits', async () => {
    await using project = new Project('rubble');
    await project.sh('npm create hotcast@latest rubble -- --template http --cookie quarry', project.around);
    await project.sh(['npm run check', 'npm run up', 'npx hotcast push api']);
    const url = await project.url('/api');
    expect(await (await fetch(`${url}/hello/Fred`)).text()).toBe('Hello Fred\n');
    for (let visit = 0; visit < 9; visit += 1) await fetch(`${url}/visits`, { method: 'POST' });

    project.edit('modules/api.ts', text => text.replace('Hello', 'Yabba dabba doo'));
    {
      await using _ = traffic(`${url}/hello/Fred`);
      await project.sh('npm run push -- api');
    }

    expect(await (await fetch(`${url}/hello/Fred`)).text()).toBe('Yabba dabba doo Fred\n');
    expect(sum(await project.call('api.visits()'))).toBe(9);
    // Hono catches what a handler throws. What is counted can be read.
    const good = project.read('modules/api.ts');
    project.edit('modules/api.ts', text => text.replace('context.text(', 'context.missing.text('));
    await project.sh('npm run push -- api --no-check');
    expect((await fetch(`${url}/hello/Fred`)).status).toBe(500);
    expect(await project.sh('npx hotcast status')).toContain('1 error');
    expect(await project.sh('npx hotcast errors api')).toContain(
      'GET /api/hello/Fred: [response: answered with the status 500',
    );
    project.write('modules/api.ts', good);
    await project.sh(['npm test', 'npm run down']);
  });

  it('websocket-game: keeps players and sockets while an edit is pushed', async () => {
    await using project = new Project('eggs');
    await project.sh('npm create hotcast@latest eggs -- --template websocket-game', project.around);
    await project.sh(['npm run check', 'npm run up', 'npx hotcast push game']);
    const url = await project.url('/game/');
    expect(await (await fetch(url)).text()).toContain('Egg hunt');
    const player = await WebSocketClient.open(url.replace('http', 'ws'));
    const { you } = JSON.parse(await player.next()) as { you: string };

    project.edit('modules/game/board.ts', text => text.replace('SIZE = 8', 'SIZE = 10'));
    await project.sh('npx hotcast push game');

    expect(JSON.parse(await player.request('up'))).toMatchObject({ size: 10, players: { [you]: { score: 0 } } });
    expect(sum(await project.call('game.players()'))).toBe(1);
    player.close();
    await project.sh(['npm test', 'npm run down']);
  });
});
