import type { Build } from '../build/build.ts';
import type { Membership } from '../fleet/membership.ts';
import type { CanaryMonitor } from '../rollout/canary-monitor.ts';
import type { RolloutContext } from '../rollout/context.ts';
import type { Keyring } from '../store/keyring.ts';

/** What the commands need, each a part of it. */
export interface CommandContext extends RolloutContext {
  readonly membership: Pick<Membership, 'expected'>;
  readonly monitor: Pick<CanaryMonitor, 'watch'>;
  /** Builds the bundles of modules from their sources as they are now. */
  readonly build: Build;
  readonly keyring: Keyring;
}

/** What the commands need that change heads or ask nodes. */
export type FleetContext = Pick<CommandContext, 'nats' | 'subjects' | 'store' | 'membership'>;
