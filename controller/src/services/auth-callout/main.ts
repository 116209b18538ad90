import { inboxPrefix } from '../../../../protocol/inboxes.ts';
import type { Logger } from '../../../../shared/logger.ts';
import { openConnection } from '../../../../shared/nats/connection.ts';
import { SERVICE_OPTIONS } from '../../../../shared/nats/options.ts';
import { runService } from '../../../../shared/run-service.ts';
import { type AuthCalloutConfig, loadConfig } from './config.ts';
import { createAuthCallout } from './create-auth-callout.ts';
import { namesFromDns, namesFromRoster } from './node-names.ts';

/**
 * After a restart of NATS this service has to reconnect before the nodes do: a client that connects earlier waits for its
 * connection timeout of 5 seconds. Milliseconds.
 */
const RECONNECT_FIRST = { ...SERVICE_OPTIONS, reconnectTimeWait: 50, reconnectJitter: 0 };

/** Admits nodes to NATS, each under the name that follows from its address, and operators by their keys. Nobody else is admitted. */
async function startAuthCallout(config: AuthCalloutConfig, log: Logger): Promise<AsyncDisposable> {
  const options = { name: 'hotcast-auth-callout', inboxPrefix: inboxPrefix('auth-callout'), ...RECONNECT_FIRST };
  const nats = await openConnection(config, options, log);
  const nameNode = config.nodeNames === 'roster' ? namesFromRoster(nats) : namesFromDns(config.project);
  const callout = createAuthCallout({ ...config, nats, nameNode, log });
  log.info({ names: config.nodeNames, readyMs: Math.round(performance.now()) }, 'ready');
  return callout;
}

await runService({ name: 'hotcast-auth-callout', loadConfig, start: startAuthCallout });
