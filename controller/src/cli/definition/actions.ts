import type { Why } from '../../../../protocol/history/why.ts';
import type { CommandBody, CommonOptions } from './command-body.ts';

/** `keys`: with the signing key. */
export interface BackupOptions extends CommonOptions {
  readonly keys?: true;
}

/**
 * What the history and the audit record of a command: who gave it, the id of the change, and the state of the sources. `version`: of
 * the command line that the user typed to.
 */
export interface Change extends Pick<Why, 'git'> {
  readonly author: string;
  readonly change: string;
  readonly version: string;
}

/** Where a shell begins: on this node, or on the first one, of the group if one is named. */
export interface ShellNode {
  readonly node: string | null;
  readonly group?: string;
}

/** What the commands of the CLI call. */
export interface Actions {
  /** Sends a command to the controller and shows its reports. */
  readonly send: (options: CommonOptions, body: CommandBody) => Promise<void>;
  /** Writes a backup. */
  readonly backup: (options: BackupOptions, file: string) => Promise<void>;
  /** Restores a backup. */
  readonly restore: (options: BackupOptions, file: string) => Promise<void>;
  /** Runs a shell. */
  readonly shell: (options: CommonOptions, on: ShellNode) => Promise<void>;
  /** Runs the controller. */
  readonly serve: () => Promise<void>;
  /** Shows a text. */
  readonly print: (text: string) => void;
}
