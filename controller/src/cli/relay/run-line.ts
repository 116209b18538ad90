import type { RunLine } from '../../api/command-line.ts';
import { runCli } from '../program.ts';
import { clientOf, terminalOf, userOf } from './user.ts';

/** What runs command lines in this process. @param socketPath the socket of the controller. */
export function lineRunner(socketPath: string): RunLine {
  return ({ args, env, isTerminal }, { print, drained, interruption, readKeys, operator }) =>
    runCli(args, {
      socketPath,
      ...userOf(env),
      ...(operator === undefined ? {} : { author: operator.name, operatorSession: operator.session }),
      interruption,
      ...(readKeys !== undefined && clientOf(env) === 'keyboard' ? { readKeys } : {}),
      terminal: { ...terminalOf(env, isTerminal, print), drained },
    });
}
