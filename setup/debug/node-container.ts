import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { NodesResult } from '../../controller/src/api/results.ts';
import { type Bridge, type BridgeEvents, openBridge } from './bridge.ts';
import type { Target } from './inspector-server.ts';

const run = promisify(execFile);

/** Where the inspector's list of targets is in the container. */
const TARGETS = 'http://127.0.0.1:9229/json/list';

/** The time limit for opening the inspector (milliseconds). */
const OPEN_TIMEOUT_MS = 10_000;

/** Runs in the container: waits until the inspector is open, and prints its targets. */
const LIST_TARGETS = `
const deadline = Date.now() + ${OPEN_TIMEOUT_MS};
for (;;) {
  try { console.log(await (await fetch('${TARGETS}')).text()); break; }
  catch { if (Date.now() > deadline) throw new Error('the inspector did not open'); }
  await new Promise(resolve => setTimeout(resolve, 20));
}`;

/** Runs in the container: has the node close its inspector, if it is open. */
const CLOSE = `
const targets = await fetch('${TARGETS}').then(response => response.json(), () => []);
for (const { webSocketDebuggerUrl } of targets) {
  const socket = new WebSocket(webSocketDebuggerUrl);
  const expression = "setImmediate(() => process.getBuiltinModule('node:inspector').close())";
  socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }));
  socket.onmessage = () => socket.close();
}`;

/** The short id of a node's container. @throws Error when there is no such node */
export async function findContainer(node: string): Promise<string> {
  const { stdout } = await run('setup/hotcast', ['nodes', '--json']);
  const { nodes } = JSON.parse(stdout) as NodesResult;
  const found = nodes.find(each => each.node === node);
  if (found !== undefined) return found.container;
  throw new Error(`there is no node "${node}"; the nodes are ${nodes.map(each => each.node).join(', ')}`);
}

/** Opens the inspector of the node in a container. */
export async function openInspector(container: string): Promise<Target> {
  // Node.js opens its inspector at this signal; the container's init process passes the signal on.
  await run('docker', ['kill', '--signal', 'USR1', container]);
  const [target] = JSON.parse(await evaluate(container, LIST_TARGETS)) as Target[];
  if (target === undefined) throw new Error('the inspector has no target');
  return target;
}

/** Closes the inspector of the node in a container. */
export async function closeInspector(container: string): Promise<void> {
  await evaluate(container, CLOSE);
}

/** Connects to the inspector. The container publishes no port, so the connection goes through `docker exec`. */
export function connectToInspector(container: string, target: Target, events: BridgeEvents): Bridge {
  return openBridge(['docker', 'exec', '--interactive', container, 'node'], target.webSocketDebuggerUrl, events);
}

/** Reads a text file in a container. */
export async function readFileIn(container: string, path: string): Promise<string> {
  return (await run('docker', ['exec', container, 'cat', path], { maxBuffer: Infinity })).stdout;
}

async function evaluate(container: string, program: string): Promise<string> {
  const command = ['node', '--input-type=module', '--eval', program];
  return (await run('docker', ['exec', container, ...command])).stdout;
}
