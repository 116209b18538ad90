import { connect } from '@nats-io/transport-node';
import { Svcm } from '@nats-io/services';

import type { Verifier } from '../../node-image/src/admission/verifier.ts';
import { handleRequests } from '../../node-image/src/cluster/request-handlers.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { load, silentServer } from '../runtime/node.ts';
import { bundleOf } from '../subject.ts';
import { COOKIE, MODULE, NODE, SERVICE } from './names.ts';

const nothing = (): void => undefined;
const log = { info: nothing, warn: nothing, error: (...args: unknown[]) => console.error(...args) };

const nats = await connect({ servers: 'nats://127.0.0.1:4222' });

/** What answers the calls of this process: the module of a node, or a service without hot loading. */
const SERVERS: Readonly<Record<string, () => Promise<unknown>>> = {
  hotcast: async () => {
    const codeServer = silentServer();
    load(codeServer, bundleOf(MODULE, 'exports.add = (x, y) => x + y;'), 1);
    const unused = () => Promise.reject(new TypeError('only calls are answered here'));
    await handleRequests({
      nats,
      codeServer,
      log,
      subjects: subjectsOf(COOKIE),
      identity: { name: NODE, container: '0123456789ab' },
      // Calls need nothing of a node but its code server.
      verifier: {} as Verifier,
      loopDelay: { max: 0, reset: nothing },
      purgeTimeoutMs: 0,
      packages: { has: () => true },
      prepare: unused,
      readyPackages: unused,
      reconciler: {
        apply: unused,
        compare: unused,
        readHeads: unused,
        start: unused,
        refusals: () => ({}),
        [Symbol.dispose]: nothing,
      },
      records: { unreadable: () => new Map(), keys: unused },
      heartbeat: { setInterval: nothing },
    });
  },
  services: async () => {
    // It is typed by an older version of the client.
    const service = await new Svcm(nats as unknown as ConstructorParameters<typeof Svcm>[0]).add({
      name: MODULE,
      version: '1.0.0',
    });
    service.addEndpoint(SERVICE, (_, message) => {
      const [x = NaN, y = NaN] = message.json<number[]>();
      message.respond(JSON.stringify(x + y));
    });
  },
};

await SERVERS[process.argv[2] ?? '']?.();
await nats.flush();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system });
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
