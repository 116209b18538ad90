import { HotcastError } from '../protocol/errors.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { createLogger, type RootLogger } from './logger.ts';
import type { Env, Warn } from './environment.ts';

/** The exit code of a fault that a user can correct. */
const FAULT = 2;

type Logged = Pick<ClusterConfig, 'logLevel'>;

interface TaskOptions<Config extends Logged> {
  /** The name in error messages: `hotcast-node`. */
  readonly name: string;
  /** Reads the environment. @throws UsageError */
  readonly loadConfig: (env: Env, warn: Warn) => Config;
  readonly run: (config: Config, log: RootLogger) => Promise<void>;
}

interface ServiceOptions<Config extends Logged> extends Omit<TaskOptions<Config>, 'run'> {
  /** Starts the service. Disposing of the result ends everything that was started. */
  readonly start: (config: Config, log: RootLogger) => Promise<AsyncDisposable>;
  /** Ends the process; default: `process.exit`. */
  readonly exit?: (code: number) => void;
}

/**
 * Runs a process that ends by itself. Warnings about its environment are logged first. A bad configuration, or another fault
 * that a user can correct, is printed as one line; the exit code is 2.
 */
export async function runTask<Config extends Logged>(options: TaskOptions<Config>): Promise<void> {
  if (!(await succeeds(options))) process.exitCode = FAULT;
}

/** Runs a task. False when it failed for a reason that a user can correct, which is printed as one line. */
async function succeeds<Config extends Logged>({ name, loadConfig, run }: TaskOptions<Config>): Promise<boolean> {
  try {
    const warnings: string[] = [];
    const config = loadConfig(process.env, warning => warnings.push(warning));
    const log = createLogger(config.logLevel);
    for (const warning of warnings) log.warn({}, warning);
    await run(config, log);
    return true;
  } catch (error) {
    if (!(error instanceof HotcastError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    return false;
  }
}

/**
 * Runs a process until SIGTERM or SIGINT. A signal ends the service and then the process, with exit code 0; before the service
 * has started it ends the process at once. A second signal ends the process at once, with exit code 1. Warnings and faults are
 * reported as by {@link runTask}.
 */
export async function runService<Config extends Logged>(options: ServiceOptions<Config>): Promise<void> {
  const { start, exit = code => process.exit(code), ...task } = options;
  const run = async (config: Config, log: RootLogger): Promise<void> => {
    let service: AsyncDisposable | null = null;
    let stopping = false;
    const stop = async (signal: string): Promise<void> => {
      if (stopping) {
        log.warn({ signal }, 'ended at once by a second signal');
        return exit(1);
      }
      stopping = true;
      try {
        await service?.[Symbol.asyncDispose]();
      } catch (error) {
        log.error({ err: error, signal }, 'stopped with an error');
        return exit(1);
      }
      log.info({ signal }, 'stopped');
      exit(0);
    };
    process.on('SIGTERM', signal => void stop(signal)).on('SIGINT', signal => void stop(signal));
    service = await start(config, log);
  };
  // What was started before the fault, for example a server of a module, must not keep the process alive.
  if (!(await succeeds({ ...task, run }))) exit(FAULT);
}
