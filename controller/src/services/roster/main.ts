import type { NatsConnection } from '@nats-io/transport-node';
import Docker from 'dockerode';

import { inboxPrefix } from '../../../../protocol/inboxes.ts';
import type { Logger } from '../../../../shared/logger.ts';
import { openConnection } from '../../../../shared/nats/connection.ts';
import { SERVICE_OPTIONS } from '../../../../shared/nats/options.ts';
import { runService } from '../../../../shared/run-service.ts';
import { agentOf, agentsRoster } from './agents.ts';
import { ComposeRoster } from './compose.ts';
import { loadConfig, type RosterConfig } from './config.ts';
import { createRosterService } from './create-roster-service.ts';
import { agentQuestions, rosterQuestions } from './questions.ts';
import type { Roster } from './roster.ts';
import { staticRoster } from './static.ts';
import { swarmRoster } from './swarm.ts';

/** The containers of this machine. */
function openEngine({ labels, project, replicaOffset }: RosterConfig): Roster {
  const roster = new ComposeRoster(new Docker(), labels, project, replicaOffset);
  void roster.follow();
  return roster;
}

/** The roster that the configuration names. */
function openRoster(config: RosterConfig, nats: NatsConnection): Roster {
  const { provider, labels, project, expected, cookie, machine, machines } = config;
  switch (provider) {
    case 'compose':
    case 'agent':
      return openEngine(config);
    case 'agents': {
      const others = machines.map(name => ({ name, roster: agentOf(nats, cookie, name) }));
      return agentsRoster([{ name: machine, roster: openEngine(config) }, ...others]);
    }
    case 'swarm':
      return swarmRoster(new Docker(), labels, project);
    case 'static':
      return staticRoster(expected);
  }
}

/**
 * Answers requests with the nodes that should answer; as an agent, with the containers of its machine. It is the only process with the
 * Docker socket, and does nothing else.
 */
async function startRoster(config: RosterConfig, log: Logger): Promise<AsyncDisposable> {
  const { cookie, healthFile, provider, labels, machine } = config;
  const role = provider === 'agent' ? 'agent' : 'roster';
  const options = { name: `hotcast-${role}`, inboxPrefix: inboxPrefix(role), ...SERVICE_OPTIONS };
  const nats = await openConnection(config, options, log);
  const roster = openRoster(config, nats);
  const questions = role === 'agent' ? agentQuestions(cookie, machine, roster) : rosterQuestions(cookie, roster);
  const service = await createRosterService({ nats, roster, questions, healthFile, log });
  log.info({ provider, labels, readyMs: Math.round(performance.now()) }, 'ready');
  return service;
}

await runService({ name: 'hotcast-roster', loadConfig, start: startRoster });
