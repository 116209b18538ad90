// Replaces nodes whose image or settings have changed, one at a time, after all other services. Usage: tsx setup/rolling/main.ts NODES
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import type { NodesResult, ResultOf } from '../../controller/src/api/results.ts';
import { type NodeContainer, nodeContainers, replaceNode, templateOf } from './node-containers.ts';

const run = promisify(execFile);

/** How long nodes have to connect again when NATS was replaced (seconds): without the new keys, or with other TLS, they can't. */
const RECONNECT_SECONDS = '30';

/** How long a new node has to start (seconds). */
const START_SECONDS = '120';

/** How long a new node has to load its modules (milliseconds). */
const LOAD_TIMEOUT_MS = 60_000;

/** How long the proxy has to find a new node (milliseconds). It looks each second. */
const PROXY_TIMEOUT_MS = 20_000;

/** The proxy finds so many nodes: see proxy/haproxy.cfg. */
const PROXY_NODES = 200;

const say = (text: string): boolean => process.stderr.write(`setup: ${text}\n`);

async function compose(...args: readonly string[]): Promise<string> {
  return (await run('docker', ['compose', ...args], { maxBuffer: Infinity })).stdout;
}

const waitForNodes = (count: number, seconds: string) =>
  run('setup/hotcast', ['nodes', '--wait', String(count), '--timeout', seconds], { maxBuffer: Infinity });

/** What a query says, also when its exit status says that not all is well. */
async function ask<T>(query: string): Promise<T> {
  const { stdout } = await run('setup/hotcast', [query, '--json'], { maxBuffer: Infinity }).catch(
    (error: unknown) => error as { readonly stdout: string },
  );
  return JSON.parse(stdout) as T;
}

/** The modules that nodes should run and do not, a line each. */
async function lackingOn(containers: readonly Pick<NodeContainer, 'id'>[]): Promise<Map<string, string>> {
  const { nodes } = await ask<NodesResult>('nodes');
  const { nodes: rows } = await ask<ResultOf<'status'>>('status');
  const here = nodes.filter(({ container }) => containers.some(({ id }) => id.startsWith(container)));
  const names = new Set(here.map(({ node }) => node));
  const lacking = rows.filter(({ node, state }) => names.has(node) && ['refused', 'behind', 'silent'].includes(state));
  return new Map(
    lacking.map(({ module, node, state, detail = '' }) => [module, `${node}: ${module} ${state} ${detail}`.trim()]),
  );
}

/** Waits until new nodes lack no more modules than old ones did. @throws Error */
async function untilLoaded(containers: readonly Pick<NodeContainer, 'id'>[], tolerated: ReadonlySet<string>) {
  for (const deadline = performance.now() + LOAD_TIMEOUT_MS; ; await delay(500)) {
    const lacking = [...(await lackingOn(containers))].filter(([module]) => !tolerated.has(module));
    if (lacking.length === 0) return;
    if (performance.now() > deadline) throw new Error(lacking.map(([, line]) => line).join('; '));
  }
}

/** Waits until the proxy sends requests to so many nodes, so that another one can stop. */
async function untilProxyHas(nodes: number): Promise<void> {
  const url = `http://${(await compose('port', 'proxy', '8080')).trim()}/`;
  const signal = AbortSignal.timeout(PROXY_TIMEOUT_MS);
  const seen = new Set<string | null>([null]);
  while (seen.size <= Math.min(nodes, PROXY_NODES)) {
    const response = await fetch(url, { signal });
    await response.arrayBuffer();
    const node = response.headers.get('hotcast-node');
    if (seen.has(node)) await delay(20);
    seen.add(node);
  }
}

async function main(wanted: number): Promise<void> {
  const running = (await nodeContainers()).filter(({ state }) => state === 'running');
  if (running.length === 0) return;
  await using template = await templateOf();
  const outdated = running.slice(0, wanted).filter(node => !template.isLike(node));
  if (outdated.length === 0) return;
  // The controller and its services first: they work with nodes of the release before.
  const services = (await compose('config', '--services')).trim().split('\n');
  await compose('up', '--detach', '--no-build', ...services.filter(service => service !== 'node'));
  try {
    await waitForNodes(running.length, RECONNECT_SECONDS);
  } catch {
    say('the nodes do not come back to NATS, so all of them are replaced at once');
    return;
  }
  const tolerated = new Set((await lackingOn(outdated)).keys());
  const current: Pick<NodeContainer, 'id'>[] = running.filter(node => template.isLike(node));
  await untilLoaded(current, tolerated);
  for (const [index, node] of outdated.entries()) {
    say(`replacing ${node.name} (${index + 1} of ${outdated.length})`);
    current.push(await replaceNode(node, template));
    await waitForNodes(running.length, START_SECONDS);
    await untilLoaded(current, tolerated);
    await untilProxyHas(running.length);
  }
}

try {
  await main(Number(process.argv[2]));
} catch (error) {
  const { stdout = '', stderr = '', message } = error as Error & { readonly stdout?: string; readonly stderr?: string };
  say(`nodes that are not replaced yet run on: ${`${stdout}${stderr}`.trim() || message}`);
  process.exitCode = 1;
}
