import { join } from 'node:path';

import { inboxPrefix } from '../../../protocol/inboxes.ts';
import { openConnection } from '../../../shared/nats/connection.ts';
import { SERVICE_OPTIONS } from '../../../shared/nats/options.ts';
import { runService } from '../../../shared/run-service.ts';
import { loadConfig } from './config.ts';
import { type ControllerDeps, createController } from './create-controller.ts';

/**
 * Runs the controller's long-lived process until it is told to stop.
 *
 * @param lines what runs command lines: see {@link ControllerDeps}.
 */
export async function serve(lines: Pick<ControllerDeps, 'serveCommandLine' | 'runLine'>): Promise<void> {
  const options = { name: 'hotcast-controller', inboxPrefix: inboxPrefix('controller'), ...SERVICE_OPTIONS };
  await runService({
    name: 'hotcast',
    loadConfig,
    start: (config, log) =>
      createController({
        config,
        connect: () => openConnection(config, options, log),
        preflightScript: join(import.meta.dirname, 'preflight.mjs'),
        typesDir: import.meta.dirname,
        ...lines,
        log,
      }),
  });
}
