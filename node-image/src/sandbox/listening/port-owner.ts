import type { Lifetime } from '../lifetime.ts';

/** The version that a server belongs to, and what shared code prints while it runs for it. */
export interface PortOwner {
  readonly module: string;
  /** Whether its top level runs now. */
  readonly isLoading: () => boolean;
  readonly lifetime: Lifetime;
  readonly print: (level: 'info' | 'warn', chunk: string | Uint8Array) => void;
  /** Runs its code. */
  readonly run: <T>(body: () => T) => T;
  /** Resolves when a request may start; null when it may now. It waits while the module's data changes. */
  readonly untilResumed: () => Promise<void> | null;
  /** Counts a request as a call that runs on the version. Returns what ends it, and counts whether it has failed. */
  readonly beginRequest: (method: string, url: string) => (failed: boolean) => void;
}
