import { UsageError } from '../../../../protocol/errors.ts';
import { MIN_OVERLAP_MS } from '../../store/key-lists.ts';
import type { KeygenConfig } from './config.ts';
import { type ChangedKeys, makeKeysFolder, revokeInFolder, rotateInFolder, type StackFile } from './keys-folder.ts';

const USAGE = 'usage: keygen make DIR | keygen rotate DIR OVERLAP | keygen revoke DIR KEY';

/**
 * Does what `hotcast keys …` does in a folder of keys, and prints what came of it.
 *
 * @param args the verb, the folder, and what the verb needs.
 * @throws UsageError when there is no such verb, or the folder can't be read or written
 */
export async function runInFolder(args: readonly string[], config: KeygenConfig): Promise<void> {
  const [verb = '', dir = '', what = ''] = args;
  if (dir === '' || (verb !== 'make' && what === '')) throw new UsageError(USAGE);
  switch (verb) {
    case 'make': {
      const { made, stacks } = await makeKeysFolder(dir, config);
      print(made.length === 0 ? 'all keys exist' : `made the keys of ${made.join(', ')}`);
      return stacks.forEach(printStack);
    }
    case 'rotate':
      return printChanges(rotateInFolder(dir, config.cookies, overlapOf(what)));
    case 'revoke':
      return printChanges(revokeInFolder(dir, config.cookies, what));
    default:
      throw new UsageError(USAGE);
  }
}

/** @throws UsageError when it is no time, or too short */
function overlapOf(text: string): number {
  const [, digits, unit] = /^(\d+)(ms|s|m)?$/.exec(text) ?? [];
  const overlap = Number(digits) * (unit === 'ms' ? 1 : unit === 'm' ? 60_000 : 1_000);
  if (overlap >= MIN_OVERLAP_MS) return overlap;
  throw new UsageError('the overlap is a time, 10s at least: nodes may be reading');
}

function printChanges(changes: readonly ChangedKeys[]): void {
  for (const { cookie, signing, number, trusted, stack } of changes) {
    print(`${cookie} signs with ${signing}; list ${number} of its keys trusts ${trusted.join(', ')}`);
    printStack(stack);
  }
}

function printStack({ file, names }: StackFile): void {
  print(`${file} gives the services:`);
  for (const name of names) print(`  ${name}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
