import { readFileSync } from 'node:fs';

import { inboxPrefix } from '../../../../protocol/inboxes.ts';
import { openConnection } from '../../../../shared/nats/connection.ts';
import { runService } from '../../../../shared/run-service.ts';
import { loadConfig } from './config.ts';
import { createConsole } from './create-console.ts';

const asset = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

await runService({
  name: 'hotcast-console',
  loadConfig,
  start: (config, log) =>
    createConsole({
      config,
      connect: () => openConnection(config, { name: 'hotcast-console', inboxPrefix: inboxPrefix('console') }, log),
      // They stand beside the program in its image.
      assets: { script: asset('./console-client.js'), style: asset('./console.css') },
      log,
    }),
});
