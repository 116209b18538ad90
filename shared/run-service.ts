import { HotcastError } from '../protocol/errors.ts';
import type { Env } from './cluster-config.ts';
import { createLogger, type LogLevel, type RootLogger } from './logger.ts';

interface ServiceOptions<Config extends { readonly logLevel: LogLevel }> {
  /** How the service is called in error messages: `hotcast-node`. */
  readonly name: string;
  /** Reads the environment. @throws UsageError */
  readonly loadConfig: (env: Env) => Config;
  /** Starts the service. What it returns ends everything that was started. */
  readonly start: (config: Config, log: RootLogger) => Promise<AsyncDisposable>;
  /** Ends the process; default: `process.exit`. */
  readonly exit?: (code: number) => void;
}

/**
 * Runs a process from its configuration to SIGTERM or SIGINT. A signal ends the service and then the process, with exit code
 * 0; before the service has started it ends the process at once. A bad configuration, or another fault that a user can
 * correct, is printed as one line; the exit code is 2.
 */
export async function runService<Config extends { readonly logLevel: LogLevel }>({
  name,
  loadConfig,
  start,
  exit = code => process.exit(code),
}: ServiceOptions<Config>): Promise<void> {
  try {
    const config = loadConfig(process.env);
    const log = createLogger(config.logLevel);
    let service: AsyncDisposable | null = null;
    let stopping = false;
    const stop = async (signal: string): Promise<void> => {
      if (stopping) return;
      stopping = true;
      await service?.[Symbol.asyncDispose]();
      log.info({ signal }, 'stopped');
      exit(0);
    };
    process.on('SIGTERM', signal => void stop(signal)).on('SIGINT', signal => void stop(signal));
    service = await start(config, log);
  } catch (error) {
    if (!(error instanceof HotcastError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exitCode = 2;
  }
}
