import { HotcastError } from '../../protocol/errors.ts';
import { runCli } from './cli/program.ts';
import { loadConfig } from './server/config.ts';

const interactive = process.stdout.isTTY;

try {
  const config = loadConfig(process.env);
  // Loaded only by the long-lived process, so that the command line starts fast.
  const serve = async (): Promise<void> => (await import('./server/serve.ts')).serve(config);
  const status = await runCli(process.argv.slice(2), config.socketPath, serve, {
    out: text => process.stdout.write(`${text}\n`),
    err: text => process.stderr.write(`${text}\n`),
    interactive,
  });
  process.exitCode = status;
} catch (error) {
  if (!(error instanceof HotcastError)) throw error;
  process.stderr.write(`hotcast: ${error.message}\n`);
  process.exitCode = 2;
}
