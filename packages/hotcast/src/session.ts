import { hostname, userInfo } from 'node:os';

import { PACKAGE_VERSION } from '../../../shared/package-version.ts';
import type { Controller, Engine } from './engine/engine.ts';
import type { Project } from './project.ts';

/** One call of `hotcast …` on the host, with the controller that it goes to. */
export interface Session {
  readonly args: readonly string[];
  /** The first of them. */
  readonly command: string;
  readonly project: Project;
  readonly engine: Engine;
  readonly controller: Controller;
}

/** What every process in the container is told: who the user is, and the version of the command line on the host. */
export function hostVariables(): Record<string, string> {
  return { HOTCAST_AUTHOR: `${user()}@${hostname()}`, HOTCAST_CLI: PACKAGE_VERSION };
}

function user(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user can have a number and no name.
    return String(process.getuid?.() ?? '');
  }
}

/** The end of the command's arguments: the cookie that the controller must have, if the environment says one. */
export function cookieOption(args: readonly string[]): string[] {
  const cookie = process.env['COOKIE'];
  return cookie && args.length > 0 ? ['--cookie', cookie] : [];
}
