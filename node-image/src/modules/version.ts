import type { Bundle } from '../../../protocol/bundle.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { CodeOwner, Scope } from '../sandbox/execution-context.ts';
import type { Lifetime } from '../sandbox/lifetime.ts';
import type { PortOwner } from '../sandbox/listening/port-owner.ts';
import type { ReadySet } from '../packages/packages.ts';
import type { VersionLogger } from '../sandbox/version-logger.ts';
import type { Keeping } from './state/kept-values.ts';

/** A bundle without its code, which is in the compiled script. */
export type BundleInfo = Pick<Bundle, 'module' | 'revision' | 'exports' | 'live' | 'map' | 'memoryBytes'>;

/** A revision that was evaluated; its exports can be called. */
export interface Version {
  readonly module: string;
  readonly revision: string;
  readonly exports: Record<string, unknown>;
  readonly data: Record<string, unknown>;
  readonly lifetime: Lifetime;
  /** For its servers. */
  readonly ports: PortOwner;
  /** The timers of its own code that are pending. */
  readonly timers: ReadonlySet<NodeJS.Timeout>;
  /** For {@link runInContext}. */
  readonly owner: CodeOwner;
  /** For {@link callInScope}. */
  readonly scope: Scope;
  readonly log: VersionLogger;
  /** For the stacks of its errors, and for its `hot:` importers. */
  readonly bundle: BundleInfo;
  /** Its code, which V8 holds. */
  readonly code: () => string;
  /** The packages that it requires; null when it uses none. */
  readonly packages: ReadySet | null;
  /** What it keeps with `import.meta.hot.keep`. */
  readonly keeping: Keeping;
  /** The modules that it has imported as `hot:<module>`. */
  readonly imports: ReadonlySet<string>;
  /** When it was loaded, milliseconds since 1970. */
  readonly loadedAt: number;
  /** When it was replaced or its module removed, by `performance.now`; null before. */
  drainingSince: number | null;
  /** The number of running calls that started on this version, or can be in it through a hot import. */
  calls: number;
  /** The number of calls that have ended. */
  ended: number;
  /** How many of them were HTTP requests. */
  requests: number;
  /** The number of calls that failed, and of errors in its timers and promises. */
  errors: number;
}

/** The name of a revision in stacks and logs: `demo@3f2a9c81b0d4`. */
export function scriptName({ module, revision }: { readonly module: string; readonly revision: string }): string {
  return `${module}@${shortRevision(revision)}`;
}
