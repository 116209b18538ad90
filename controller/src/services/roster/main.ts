import Docker from 'dockerode';

import { inboxPrefix } from '../../../../protocol/inboxes.ts';
import type { Logger } from '../../../../shared/logger.ts';
import { openConnection } from '../../../../shared/nats/connection.ts';
import { runService } from '../../../../shared/run-service.ts';
import { ComposeRoster } from './compose.ts';
import { loadConfig, type RosterConfig } from './config.ts';
import { createRosterService } from './create-roster-service.ts';
import type { Roster } from './roster.ts';
import { staticRoster } from './static.ts';
import { swarmRoster } from './swarm.ts';

/** The roster that the configuration names. */
function openRoster({ provider, labels, project, expected }: RosterConfig): Roster {
  switch (provider) {
    case 'compose': {
      const roster = new ComposeRoster(new Docker(), labels, project);
      void roster.follow();
      return roster;
    }
    case 'swarm':
      return swarmRoster(new Docker(), labels, project);
    case 'static':
      return staticRoster(expected);
  }
}

/** Answers requests with the nodes that should answer. It is the only process with the Docker socket, and does nothing else. */
async function startRoster(config: RosterConfig, log: Logger): Promise<AsyncDisposable> {
  const { cookie, healthFile, provider, labels } = config;
  const roster = openRoster(config);
  const nats = await openConnection(config, { name: 'hotcast-roster', inboxPrefix: inboxPrefix('roster') }, log);
  const service = await createRosterService({ nats, cookie, roster, healthFile, log });
  log.info({ provider, labels, readyMs: Math.round(performance.now()) }, 'ready');
  return service;
}

await runService({ name: 'hotcast-roster', loadConfig, start: startRoster });
