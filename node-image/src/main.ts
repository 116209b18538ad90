import { hostname } from 'node:os';

import { nodeInbox } from '../../protocol/inboxes.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { openConnection } from '../../shared/nats/connection.ts';
import { runService } from '../../shared/run-service.ts';
import { claimName } from './cluster/name-claim.ts';
import { checkGroup, resolveNodeName } from './cluster/node-name.ts';
import { loadConfig } from './config.ts';
import { createNode } from './create-node.ts';
import { openStateFolder } from './process/state-folder.ts';
import { scopeListening } from './sandbox/listening/scope-listening.ts';
import { guardProcess } from './sandbox/scoped-process.ts';

scopeListening();

await runService({
  name: 'hotcast-node',
  loadConfig,
  exit: guardProcess(),
  start: async (config, log) => {
    const container = hostname();
    const preferredName = await resolveNodeName(container, config);
    checkGroup(preferredName, config.group);
    const options = { name: `hotcast-node ${container}`, inboxPrefix: nodeInbox(preferredName) };
    const nats = await openConnection(config, options, log);
    const name = await claimName(nats, subjectsOf(config.cookie), preferredName, container);
    const nodeLog = log.child({ node: name });
    // A task of Swarm that is started again is another container: the folder belongs to its place in the service.
    const state = await openStateFolder(config.stateDir, nodeLog, config.taskName === '' ? undefined : null);
    const node = await createNode({
      ...config,
      stateDir: state.path,
      nats,
      identity: { name, container, group: config.group },
      log: nodeLog,
      watchdogScript: new URL('watchdog-thread.mjs', import.meta.url),
    });
    nodeLog.info({ container, pid: process.pid, readyMs: Math.round(performance.now()) }, 'ready');
    return {
      [Symbol.asyncDispose]: async () => {
        await node[Symbol.asyncDispose]();
        await state.leave();
      },
    };
  },
});
