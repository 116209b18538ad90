import type { Target } from './activator.ts';

/** What a head requests of this node; a null revision removes the module. */
export interface Assignment extends Omit<Target, 'revision'> {
  readonly revision: string | null;
  readonly sequence: number;
  /** Whether to purge the versions that drain. */
  readonly force: boolean;
  /** Whether to purge the oldest draining versions, as many as the load needs, rather than to refuse it. */
  readonly makeRoom: boolean;
  /** Whether no operator asked for it: it lifts no ban. */
  readonly automatic?: boolean;
}
