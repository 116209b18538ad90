import { describe, expect, it } from 'vitest';

import { PACKAGE_VERSION } from '../../shared/package-version.ts';
import { WebSocketClient } from '../support/http/websocket-client.ts';
import { blocksOf, readPage } from '../unit/docs/pages.ts';
import { Project } from './project.ts';

/** The code of docs/your-project.md, by the file that the first line of each block names. */
const code = new Map(
  blocksOf(readPage('docs/your-project.md')).flatMap(({ lines }) => {
    const [, file] = /^(?:\/\/|#) (\S+)$/.exec(lines[0] ?? '') ?? [];
    return file === undefined ? [] : [[file, lines.slice(1).join('\n')] as const];
  }),
);

/** What stands in for a database: a server of an image that is here. */
const STOCK = [
  `image: \${HOTCAST_IMAGES:-hotcast}/node:${PACKAGE_VERSION}`,
  `entrypoint: ['node', '-e', "require('http').createServer((_, answer) => answer.end('12')).listen(7000)"]`,
].join('\n    ');

/** Writes a file as the page shows it. */
function writeAsShown(project: Project, file: string): void {
  const text = code.get(file);
  expect(text, `docs/your-project.md shows no ${file}`).toBeDefined();
  project.write(file, text ?? '');
}

/** An existing repository with Hotcast in it, which did not have it when it was written. */
async function added(project: Project, fixture: string): Promise<string> {
  project.copy(fixture);
  return project.sh('npm create hotcast@latest -- --add --yes');
}

describe('--add in a repository that was not made for Hotcast', { timeout: 600_000 }, () => {
  it('Express, in CommonJS, with a compose file', async () => {
    await using project = new Project('express-shop');
    const said = await added(project, 'express-shop');
    // By hand: what create-hotcast has said of the compose file, and the state.
    const include = /docker-compose\.yml: *\n((?: {6}.*\n)+)/.exec(said)?.[1]?.replaceAll(/^ {6}/gm, '') ?? '';
    project.edit('docker-compose.yml', text => `${include}\n${text}`);
    project.edit('app.js', text =>
      text
        .replace(
          'const app = express();\nconst orders = [];\n',
          'module.exports = orders => {\nconst app = express();\n',
        )
        .replace('module.exports = app;', 'return app;\n};'),
    );
    project.edit('server.js', text => text.replace(`require('./app')`, `require('./app')([])`));
    writeAsShown(project, 'modules/shop.js');
    // A service of the project, as the page shows it for a database.
    const [, db = ''] = /^services:\n([^]*)/.exec(code.get('docker-compose.yml') ?? '') ?? [];
    project.edit('docker-compose.yml', text => `${text}\n${db.replace('image: postgres:17', STOCK)}\n`);
    project.write('modules/stock.js', `export const count = async () => (await fetch('http://db:7000/')).json();\n`);
    await project.sh(['npm test', 'npm run fleet:check', 'npm run fleet:up', 'npm run fleet:push -- shop']);

    await project.sh('npm run fleet:push -- stock');
    expect(await project.call('stock.count()')).toEqual([12, 12, 12]);
    const url = await project.url('/shop/orders');
    const order = async () => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(url, { method: 'POST', headers, body: '{ "items": ["club"] }' });
      return {
        node: response.headers.get('hotcast-node'),
        ...((await response.json()) as { id: number; total: number }),
      };
    };
    const first = await order();
    expect(first).toMatchObject({ id: 1, total: 1200 });
    project.edit('lib/prices.js', text => text.replace('1200', '1300'));
    await project.sh('npm run fleet:push -- shop');
    await expect.poll(order).toMatchObject({ node: first.node, total: 1300 });
    await project.sh(['npm run fleet:test', 'npm run fleet:down']);
  });

  it('Hono, in TypeScript, with paths of its own and vitest', async () => {
    await using project = new Project('hono-notes');
    await added(project, 'hono-notes');
    // By hand: the path of the project's own tsconfig.json.
    project.edit('modules/tsconfig.json', text => text.replace('"paths": {', '"paths": { "@/*": ["../src/*"],'));
    writeAsShown(project, 'modules/notes.ts');
    await project.sh(['npm run check', 'npm test', 'npm run fleet:check', 'npm run fleet:up']);
    await project.sh('npm run fleet:push -- notes');
    const url = await project.url('/notes');
    for (const text of ['club', 'bone', 'egg']) await fetch(url, { method: 'POST', body: text });
    project.edit('src/notes.ts', text => text.replace('({ id, text })', '({ id, note: text })'));
    await project.sh('npm run fleet:push -- notes');
    const notes = (await project.call('notes.all()')).flat() as { note: string }[];
    expect(notes.map(({ note }) => note).toSorted()).toEqual(['bone', 'club', 'egg']);
    await project.sh(['npm run fleet:test', 'npm run fleet:down']);
  });

  it('a game server with rooms, as those of Colyseus', async () => {
    await using project = new Project('arena');
    await added(project, 'arena');
    writeAsShown(project, 'modules/arena.ts');
    await project.sh(['npm run check', 'npm run fleet:check', 'npm run fleet:up', 'npm run fleet:push -- arena']);
    const player = await WebSocketClient.open((await project.url('/arena/')).replace('http', 'ws'));
    const positionAfter = async (isSeen: (x: number) => boolean): Promise<number> => {
      for (;;) {
        const { players } = JSON.parse(await player.next()) as { players: Record<string, { x: number }> };
        const [{ x } = { x: 0 }] = Object.values(players);
        if (isSeen(x)) return x;
      }
    };
    player.send('"faster"');
    const before = await positionAfter(x => x > 0);
    project.edit('src/rooms/arena-room.ts', text =>
      text.replace('player.x += player.speed', 'player.x -= player.speed'),
    );
    await project.sh('npm run fleet:push -- arena');
    // The same socket and the same player go the other way.
    expect(await positionAfter(x => x < 0)).toBeLessThan(before);
    player.close();
    await project.sh(['npm run fleet:test', 'npm run fleet:down']);
  });
});
