// Opens the inspector of a node and serves it at 127.0.0.1:9229 until Ctrl+C. Usage: tsx setup/debug/main.ts NODE [PORT]
import { once } from 'node:events';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { type Inspector, inspectorServer } from './inspector-server.ts';
import { closeInspector, connectToInspector, findContainer, openInspector, readFileIn } from './node-container.ts';
import { programMapUrl } from './source-maps.ts';

/** The node's own code in its container. */
const PROGRAM_PATH = '/app/node.mjs';

const [node = '', port = '9229'] = process.argv.slice(2);

async function main(): Promise<void> {
  if (node === '') throw new Error('say which node: make debug NODE=fred');
  const container = await findContainer(node);
  let inspector: Inspector | null = null;
  const server = inspectorServer(() => inspector);
  // Before anything changes: the port may be taken, also by another debugger of this node.
  await once(server.listen({ port, host: '127.0.0.1' }), 'listening');
  const stop = (): void => {
    inspector = null;
    closeInspector(container).then(() => process.exit(0), giveUp);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  inspector = await open(container);
  process.stdout.write(`The inspector of ${node} (${container}) listens at 127.0.0.1:${port}; Ctrl+C closes it.\n`);
}

async function open(container: string): Promise<Inspector> {
  const programMap = programMapUrl(await readFileIn(container, `${PROGRAM_PATH}.map`), '.');
  const programMaps = new Map([[pathToFileURL(PROGRAM_PATH).href, programMap]]);
  const target = await openInspector(container);
  return {
    target: { ...target, title: node },
    connect: events => connectToInspector(container, target, events),
    sources: { modulesDir: resolve(process.env['MODULES_DIR'] || 'modules'), programMaps },
  };
}

function giveUp(error: unknown): never {
  const { stderr, message } = error as Error & { readonly stderr?: string };
  process.stderr.write(`debug: ${stderr?.trim() || message}\n`);
  process.exit(2);
}

await main().catch(giveUp);
