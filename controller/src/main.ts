import { HotcastError } from '../../protocol/errors.ts';
import { runCli } from './cli/program.ts';
import { loadConfig } from './server/config.ts';

try {
  const config = loadConfig(process.env, () => undefined);
  process.exitCode = await runCli(process.argv.slice(2), {
    socketPath: config.socketPath,
    author: process.env['HOTCAST_AUTHOR'] || 'hotcast',
    // Only the long-lived process loads the controller, so that the CLI starts fast. It warns of old settings too.
    serve: async () => (await import('./server/serve.ts')).serve(),
    terminal: {
      out: text => process.stdout.write(`${text}\n`),
      err: text => process.stderr.write(`${text}\n`),
      interactive: process.stdout.isTTY,
    },
  });
} catch (error) {
  if (!(error instanceof HotcastError)) throw error;
  process.stderr.write(`hotcast: ${error.message}\n`);
  process.exitCode = 2;
}
