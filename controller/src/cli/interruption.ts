import { HotcastError } from '../../../protocol/errors.ts';
import type { Client } from '../api/host.ts';

/** The command was interrupted before its result. */
export class InterruptedError extends HotcastError {
  readonly code = 'interrupted';
}

/** The signals with which a user or the system ends a command. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function clientOf(value: string | undefined): Client {
  return value === 'terminal' || value === 'keyboard' || value === 'pipe' ? value : null;
}

/** Whether a person reads the output. */
export function isTerminal(client: Client): boolean {
  return client === 'terminal' || client === 'keyboard';
}

/** Calls `onKey` with each key that a client passes on. */
export function readKeys(onKey: (key: string) => void): void {
  process.stdin.setEncoding('utf8').on('data', (text: string) => {
    for (const key of text) onKey(key);
  });
}

/** Aborted by the signals that end a command, and when its client has gone. */
export function interruption(client: Client): AbortSignal {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of SIGNALS) process.once(signal, interrupt);
  if (client !== null) {
    const { stdin } = process;
    stdin.once('end', interrupt).once('error', interrupt).resume();
    // The process ends with its command, not with its input.
    stdin.unref();
  }
  return interrupted.signal;
}
