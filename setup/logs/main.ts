// Follows the logs of all containers. The lines of nodes begin with the nodes' names. Usage: tsx setup/logs/main.ts
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { linesOf } from '../../controller/src/api/lines.ts';
import { nameNode } from './name-nodes.ts';

// Ctrl+C ends Compose, and this with it: the last lines still arrive.
process.on('SIGINT', () => undefined);
const compose = spawn('docker', ['compose', 'logs', '--follow', '--tail', '50'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(compose, 'close');
process.stdout.once('error', () => compose.kill());
for await (const line of linesOf(compose.stdout)) {
  if (!process.stdout.write(`${nameNode(line)}\n`)) await once(process.stdout, 'drain');
}
await ended;
