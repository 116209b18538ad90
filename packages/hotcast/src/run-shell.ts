import { UsageError } from '../../../protocol/errors.ts';
import { ended } from './engine/child-status.ts';
import { newId } from './new-id.ts';
import { runCommand } from './run-command.ts';
import { cookieOption, hostVariables, type Session } from './session.ts';
import { variables } from './engine/variables.ts';

/** Ends the process whose id is in a file, when its input ends. */
const HANG_UP = 'cat; read -r pid <"$0"; rm -f "$0"; grep -qs shell "/proc/$pid/cmdline" && kill -HUP "$pid"';

/** Runs a shell: in a terminal it has the terminal, else it reads lines from the input. Returns the exit status. */
export async function runShell(session: Session): Promise<number> {
  if (!process.stdin.isTTY) return runCommand(session);
  if (!process.stdout.isTTY) throw new UsageError('a shell that is typed to needs a terminal for its output too');
  return runInTerminal(session);
}

/**
 * Ctrl+C is a key there. `docker exec` leaves its process alone when the terminal goes. So the input of a second one is a pipe that
 * this process holds: however this process ends, the pipe ends, and with it the shell in the container.
 */
async function runInTerminal({ args, engine, controller }: Session): Promise<number> {
  const pidFile = `/run/hotcast/shell-${newId()}`;
  const hangUp = ['--interactive', controller.id, 'sh', '-c', HANG_UP, pidFile];
  engine.exec(hangUp, ['pipe', 'ignore', 'ignore'], { detached: true }).on('error', () => undefined);
  const env = variables({
    HOTCAST_CLIENT: 'terminal',
    ...hostVariables(),
    TERM: null,
    COLORTERM: null,
    NO_COLOR: null,
  });
  const shell = ['sh', '-c', 'echo $$ >"$0"; exec hotcast "$@"', pidFile, ...args, ...cookieOption(args)];
  // The terminal is the shell's: a Ctrl+C before the shell has it must not end this process alone.
  process.on('SIGINT', () => undefined);
  return ended(engine.exec(['--interactive', '--tty', ...env, controller.id, ...shell], 'inherit'));
}
