import { HotcastError } from '../../../protocol/errors.ts';
import type { Operation } from '../../../protocol/operators/operator.ts';
import type { Command } from './command.ts';

/** An operator may not do this. Nothing was sent. */
export class ForbiddenError extends HotcastError {
  readonly code = 'forbidden';
}

/** What each command does, for who may give it from afar. Null: nobody may. */
const OPERATION_OF: { readonly [T in Command['type']]: Operation | null } = {
  push: 'push',
  promote: 'push',
  compile: 'push',
  dev: null,
  rollback: 'rollback',
  remove: 'remove',
  restore: null,
  repair: 'repair',
  lift: 'repair',
  purge: 'purge',
  call: 'call',
  tail: 'logs',
  errors: 'logs',
  exports: null,
  evaluate: null,
  session: null,
  ping: 'read',
  nodes: 'read',
  names: 'read',
  version: 'read',
  doctor: 'read',
  status: 'read',
  bans: 'read',
  history: 'read',
  audit: 'read',
  events: 'read',
  result: 'read',
  'operator add': null,
  'operator revoke': null,
  'operator list': 'read',
  'keys rotate': null,
  'keys revoke': null,
};

export const operationOf = ({ type }: Pick<Command, 'type'>): Operation | null => OPERATION_OF[type];

/** The operation of each first word of a command line that is no reading one. */
const BY_WORD: Readonly<Record<string, Operation>> = {
  push: 'push',
  promote: 'push',
  compile: 'push',
  rollback: 'rollback',
  remove: 'remove',
  repair: 'repair',
  purge: 'purge',
  'soft-purge': 'purge',
  call: 'call',
  tail: 'logs',
  errors: 'logs',
};

/** What a command line does, before anybody has read it as a whole. The controller looks again at the command that comes of it. */
export function operationOfLine([word = '', ...rest]: readonly string[]): Operation {
  if (word === 'bans' && rest.some(each => each === '--lift' || each.startsWith('--lift='))) return 'repair';
  return Object.hasOwn(BY_WORD, word) ? (BY_WORD[word] ?? 'read') : 'read';
}
