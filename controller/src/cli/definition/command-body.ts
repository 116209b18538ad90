import type { Command } from '../../api/command.ts';

/** The options of every command. `timeout` is in milliseconds. */
export interface CommonOptions {
  readonly json?: true;
  readonly verbose?: true;
  readonly timeout: number;
  readonly cookie?: string;
}

/** A command without its common options. */
export type CommandBody = Command extends infer C
  ? C extends Command
    ? Omit<C, 'cookie' | 'timeoutMs'>
    : never
  : never;
