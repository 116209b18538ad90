import { run, type Where } from './run.ts';

interface FleetOptions extends Where {
  /** The Compose project. It belongs to the benchmark alone. */
  readonly project: string;
  /** The Compose file. Default: the one in `cwd`. */
  readonly file?: string;
}

export type Fleet = Awaited<ReturnType<typeof startFleet>>;

/**
 * Removes what an earlier run has left, then starts the containers of a Compose project. They are removed with their
 * networks and volumes when the fleet is disposed.
 *
 * @param up arguments of `docker compose up`.
 */
export async function startFleet({ project, file, ...where }: FleetOptions, ...up: readonly string[]) {
  const chosen = file === undefined ? [] : ['--file', file];
  const compose = (...args: readonly string[]): Promise<string> =>
    run('docker', ['compose', '--project-name', project, ...chosen, ...args], where);
  /** The containers of a service, by id. */
  const ids = async (service: string): Promise<string[]> =>
    (await compose('ps', '--quiet', service)).trim().split('\n');
  await removeProject(project);
  const startedAt = performance.now();
  const fleet = {
    project,
    compose,
    ids,
    /** The container of a service that has one. */
    id: async (service: string): Promise<string> => (await ids(service))[0] ?? '',
    /** The proxy's port on 127.0.0.1. */
    proxyPort: async (): Promise<number> => Number((await compose('port', 'proxy', '8080')).split(':').at(-1)),
    /** The time since the order to start (milliseconds). */
    ageMs: (): number => performance.now() - startedAt,
    [Symbol.asyncDispose]: (): Promise<void> => removeProject(project),
  };
  return disposedUnless(fleet, () => compose('up', '--detach', '--no-build', ...up));
}

/** Finishes the start of something; disposes of it when that fails. */
export async function disposedUnless<T extends AsyncDisposable>(value: T, finish: () => Promise<unknown>): Promise<T> {
  try {
    await finish();
    return value;
  } catch (error) {
    await value[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Removes all that belongs to a Compose project, by its labels.
 *
 * @throws Error when containers are left. (The engine sometimes keeps a network; the next start uses it again.)
 */
export async function removeProject(project: string): Promise<void> {
  // In a folder without a Compose file, Compose goes by labels.
  const compose = (...args: readonly string[]): Promise<string> =>
    run('docker', ['compose', '--project-name', project, ...args], { cwd: '/' });
  try {
    await compose('down', '--timeout', '1', '--volumes');
  } catch (error) {
    if ((await compose('ps', '--all', '--quiet')) !== '') throw error;
  }
}
