/** How a package manager is called. */
export interface PackageManager {
  readonly name: 'npm' | 'pnpm' | 'yarn';
  /** Installs what package.json says. */
  readonly install: string;
  /** Runs a script of package.json: all of them have a command `up` of their own, or take it for one. */
  readonly run: string;
  /** Runs a program of an installed package. */
  readonly exec: string;
}

const NPM: PackageManager = { name: 'npm', install: 'npm install', run: 'npm run', exec: 'npx' };

const OTHERS: readonly PackageManager[] = [
  { name: 'pnpm', install: 'pnpm install', run: 'pnpm run', exec: 'pnpm exec' },
  { name: 'yarn', install: 'yarn install', run: 'yarn run', exec: 'yarn run' },
];

/** Lock files, for a repository that has one. */
const LOCK_FILES = { 'pnpm-lock.yaml': 'pnpm', 'yarn.lock': 'yarn', 'package-lock.json': 'npm' } as const;

/**
 * The package manager that a project uses, else the one that runs this program.
 *
 * @param userAgent `npm_config_user_agent`: `pnpm/10.1.0 npm/? node/v24.0.0 linux x64`.
 * @param files the names of the files in the project's folder.
 */
export function packageManagerOf(userAgent: string | undefined, files: readonly string[]): PackageManager {
  const locked = Object.entries(LOCK_FILES).find(([file]) => files.includes(file))?.[1];
  const name = locked ?? userAgent?.split('/')[0];
  return OTHERS.find(each => each.name === name) ?? NPM;
}
