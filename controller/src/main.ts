import { HotcastError } from '../../protocol/errors.ts';
import { gitStateOf } from '../../protocol/history/why.ts';
import { NO_RESULT } from './cli/exit-status.ts';
import { clientOf, interruption, isTerminal, readKeys } from './cli/interruption.ts';
import { runCli } from './cli/program.ts';
import { useColors } from './cli/style.ts';
import { loadConfig } from './server/config.ts';

/** The lines that were typed in shells; its folder is a volume. */
const HISTORY = '/var/lib/hotcast/shell-history';

try {
  const client = clientOf(process.env['HOTCAST_CLIENT']);
  const interactive = (isTerminal(client) || process.stdout.isTTY) && process.env['TERM'] !== 'dumb';
  useColors(interactive && !process.env['NO_COLOR']);
  const config = loadConfig(process.env, () => undefined);
  const author = process.env['HOTCAST_AUTHOR'] || 'hotcast';
  process.exitCode = await runCli(process.argv.slice(2), {
    socketPath: config.socketPath,
    author,
    ...(process.env['HOTCAST_CLI'] ? { version: process.env['HOTCAST_CLI'] } : {}),
    sources: gitStateOf(process.env['HOTCAST_GIT'] ?? ''),
    ...(process.env['HOTCAST_CHANGE'] ? { change: process.env['HOTCAST_CHANGE'] } : {}),
    // Only the long-lived process loads the controller, so that the CLI starts fast. It warns of old settings too.
    serve: async () => (await import('./server/serve.ts')).serve(),
    backups: {
      passphrase: process.env['HOTCAST_PASSPHRASE'] ?? '',
      write: async (file, passphrase, say) =>
        (await import('./backup/run.ts')).backUp(config, { file, passphrase, author, say }),
      read: async (file, passphrase, say) =>
        (await import('./backup/run.ts')).restoreFrom(config, { file, passphrase, author, say }),
    },
    shell: async request => {
      const { runShell } = await import('./cli/shell/run-shell.ts');
      const { cookie } = config;
      return runShell(request, { cookie, client, input: process.stdin, output: process.stdout, historyFile: HISTORY });
    },
    interruption: () => interruption(client),
    ...(client === 'keyboard' ? { readKeys } : {}),
    terminal: {
      out: text => process.stdout.write(`${text}\n`),
      // Two streams can overtake each other on their way to a terminal.
      err: text => (isTerminal(client) ? process.stdout : process.stderr).write(`${text}\n`),
      interactive,
    },
  });
} catch (error) {
  if (!(error instanceof HotcastError)) throw error;
  process.stderr.write(`hotcast: ${error.message}\n`);
  process.exitCode = NO_RESULT;
}
