import { evaluate } from './evaluate.ts';
import { LiveMemory } from './live-memory.ts';
import { LoadedPackages } from './loaded-packages.ts';
import { stubEnvironment } from './environment.ts';
import { useRelativeImports } from './relative-imports.ts';
import type {
  ModuleResult,
  ModuleUnderTest,
  PackagesUnderTest,
  PreflightReply,
  PreflightRequest,
  PreloadRequest,
} from '../protocol.ts';

// The preflight's process. It is started with the permission to read packages, gets one request, and is ended by the controller.
const send = process.send?.bind(process);
useRelativeImports();
const environment = stubEnvironment();
const packages = new LoadedPackages(environment);
const memory = new LiveMemory();

// What packages begin without I/O fails later, when it does not matter any more.
for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, () => undefined);
process.on('message', (request: PreflightRequest | PreloadRequest) => {
  if ('preload' in request) return preload(request.preload);
  const { token, modules } = request;
  // Before the modules, so that their time, their memory and what they change is not that of a module.
  for (const tested of modules) preload(tested.packages);
  send?.({ token, result: null } satisfies PreflightReply);
  for (const tested of modules) {
    const result = run(tested);
    send?.({ token, result } satisfies PreflightReply);
    if (result.status === 'refused') return;
  }
});
send?.('ready');

function preload(used: PackagesUnderTest): void {
  try {
    packages.load(used);
  } catch {
    // The module that uses them finds it again.
  }
}

/** Even this code can fail after a module has changed the built-in objects. */
function run(tested: ModuleUnderTest): ModuleResult {
  try {
    const used = packages.load(tested.packages);
    if (used.status === 'refused') return used;
    return evaluate(tested, environment, used, packages.before, memory);
  } catch {
    return { status: 'refused', reason: 'intrinsics', detail: 'it changes what all code needs to run', stack: null };
  }
}
