// Opens the inspector of a node and forwards 127.0.0.1:9229 to it, until Ctrl+C. Usage: node setup/debug.mjs NODE [PORT]
// The container publishes no port: each connection goes through a `docker exec`.
import { execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FORWARD = `const s = require('node:net').connect(9229, '127.0.0.1'); process.stdin.pipe(s).pipe(process.stdout)`;

const [name = '', port = '9229'] = process.argv.slice(2);

function giveUp(message) {
  process.stderr.write(`debug: ${message}\n`);
  process.exit(2);
}

async function containerOf(node) {
  const { stdout } = await run('setup/hotcast', ['nodes', '--json']).catch(error => giveUp(error.stderr.trim()));
  const { nodes } = JSON.parse(stdout);
  const found = nodes.find(each => each.node === node && each.container !== undefined);
  return (
    found?.container ?? giveUp(`there is no node "${node}"; the nodes are ${nodes.map(each => each.node).join(', ')}`)
  );
}

const container = await containerOf(name);
// The debugger finds the sources of /app/node.mjs by its source map, which has paths from one folder below the root.
for (const file of ['node.mjs', 'node.mjs.map'])
  await run('docker', ['cp', '--quiet', `${container}:/app/${file}`, '.cache/']);
// Node.js opens its inspector at this signal; the container's init process passes the signal on.
await run('docker', ['kill', '--signal', 'USR1', container]);

const server = createServer(socket => {
  const forward = spawn('docker', ['exec', '--interactive', container, 'node', '-e', FORWARD], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  socket.pipe(forward.stdin).on('error', () => socket.destroy());
  forward.stdout.pipe(socket).on('error', () => forward.kill());
  socket.once('close', () => forward.kill());
});
server.once('error', error => giveUp(error.message));
server.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(
    `The inspector of ${name} (${container}) listens at 127.0.0.1:${port}; Ctrl+C ends the forwarding.\n`,
  );
});
