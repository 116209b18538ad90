import { evaluate } from './evaluate.ts';
import { snapshot } from './intrinsics.ts';
import { LiveMemory } from './live-memory.ts';
import { stubEnvironment } from './environment.ts';
import type { ModuleResult, ModuleUnderTest, PreflightReply, PreflightRequest } from '../protocol.ts';

// The preflight's process. It is started without permissions, gets one request, and is ended by the controller.
const send = process.send?.bind(process);
const environment = stubEnvironment();
const before = snapshot();
const memory = new LiveMemory();

process.once('message', ({ token, modules }: PreflightRequest) => {
  for (const tested of modules) {
    const result = run(tested);
    send?.({ token, result } satisfies PreflightReply);
    if (result.status === 'refused') return;
  }
});
send?.('ready');

/** Even this code can fail after a module has changed the built-in objects. */
function run(tested: ModuleUnderTest): ModuleResult {
  try {
    return evaluate(tested, environment, before, memory);
  } catch {
    return { status: 'refused', reason: 'intrinsics', detail: 'it changes what all code needs to run', stack: null };
  }
}
