import { inspectorServer } from '../../../setup/debug/inspector-server.ts';
import { closeInspector, connectToInspector, openInspector } from '../../../setup/debug/node-container.ts';
import { Debugger } from './debugger.ts';

/** Attaches a debugger to the node in a container, through what `make debug` starts. Disposing it closes the inspector. */
export async function debugNode(container: string, modulesDir: string) {
  const target = await openInspector(container);
  const server = inspectorServer(() => ({
    target,
    connect: events => connectToInspector(container, target, events),
    sources: { modulesDir, programMaps: new Map() },
  }));
  const debug = await Debugger.attach(server);
  return {
    debug,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      debug[Symbol.dispose]();
      server.close();
      await closeInspector(container);
    },
  };
}
