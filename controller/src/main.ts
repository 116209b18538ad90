import { HotcastError } from '../../protocol/errors.ts';
import { NO_RESULT } from './cli/exit-status.ts';
import { interruption } from './cli/interruption.ts';
import { runCli } from './cli/program.ts';
import { clientOf, terminalOf, userOf } from './cli/relay/user.ts';
import { loadConfig } from './server/config.ts';

/** The lines that were typed in shells; its folder is a volume. */
const HISTORY = '/var/lib/hotcast/shell-history';

try {
  const { env, stdin, stdout, stderr } = process;
  const config = loadConfig(env, () => undefined);
  const { socketPath, cookie } = config;
  const user = userOf(env);
  process.exitCode = await runCli(process.argv.slice(2), {
    socketPath,
    ...user,
    // Only the long-lived process loads the controller, so that the others start fast. It warns of old settings too.
    serve: async () => {
      const { serve } = await import('./server/serve.ts');
      const { serveRelays } = await import('./cli/relay/serve.ts');
      const { lineRunner } = await import('./cli/relay/run-line.ts');
      await serve({ serveCommandLine: log => serveRelays(socketPath, log), runLine: lineRunner(socketPath) });
    },
    backups: {
      passphrase: env['HOTCAST_PASSPHRASE'] ?? '',
      write: async (file, passphrase, say) =>
        (await import('./backup/run.ts')).backUp(config, { file, passphrase, author: user.author, say }),
      read: async (file, passphrase, say) =>
        (await import('./backup/run.ts')).restoreFrom(config, { file, passphrase, author: user.author, say }),
    },
    shell: async request => {
      const { runShell } = await import('./cli/shell/run-shell.ts');
      return runShell(request, { cookie, client: clientOf(env), input: stdin, output: stdout, historyFile: HISTORY });
    },
    interruption,
    terminal: terminalOf(env, stdout.isTTY, (stream, text) => void (stream === 1 ? stdout : stderr).write(text)),
  });
} catch (error) {
  if (!(error instanceof HotcastError)) throw error;
  process.stderr.write(`hotcast: ${error.message}\n`);
  process.exitCode = NO_RESULT;
}
