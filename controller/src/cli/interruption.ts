import { HotcastError } from '../../../protocol/errors.ts';

/** The command was interrupted before its result. */
export class InterruptedError extends HotcastError {
  readonly code = 'interrupted';
}

/** The signals with which a user or the system ends a command. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Aborted by the signals that end the command of this process. */
export function interruption(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of SIGNALS) process.once(signal, () => interrupted.abort());
  return interrupted.signal;
}
