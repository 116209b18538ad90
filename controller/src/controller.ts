import { decode } from '../../protocol/codec.ts';
import { UsageError } from '../../protocol/errors.ts';
import { isModuleName, MODULE_RULE } from '../../protocol/names.ts';
import { callNodes, listNodes, pingNodes, purgeNodes, readStatus, waitForNodes } from './ask.ts';
import type { Command, Say } from './command.ts';
import { nameOf } from './fleet.ts';
import { gather } from './gather.ts';
import { history } from './history.ts';
import type { Keyring } from './keyring.ts';
import { push, type PushParts } from './push.ts';
import { rehearse } from './rehearse.ts';
import type { CompileResult, Result } from './results.ts';
import { promote, remove, rollback } from './rollback.ts';
import { rotateKeys } from './rotate.ts';
import { type LoadReply, loadReply, outcomesOf } from './settle.ts';

/** What every command may need. */
export interface CommandParts extends PushParts {
  readonly keyring: Keyring;
}

/**
 * Carries out one command of the command line.
 *
 * @throws UsageError, CompileError, TypeCheckError, PreflightError and UnavailableError when nothing was sent.
 */
export async function runCommand(parts: CommandParts, cookie: string, command: Command, say: Say): Promise<Result> {
  if (command.cookie !== null && command.cookie !== cookie) {
    throw new UsageError(
      `this controller does not have the cookie ${JSON.stringify(command.cookie)}; nothing was sent`,
    );
  }
  checkModules('modules' in command ? command.modules : 'module' in command ? [command.module] : []);
  const { patience } = command;
  switch (command.type) {
    case 'push':
      return command.dryRun ? rehearse(parts, command, say) : push(parts, command, say);
    case 'rollback':
      return rollback(parts, command, command.to, say);
    case 'promote':
      return promote(parts, command, say);
    case 'remove':
      return remove(parts, command, say);
    case 'compile':
      return compileOn(parts, command, say);
    case 'call':
      return callNodes(parts, command, say);
    case 'purge':
      return purgeNodes(parts, command, say);
    case 'ping':
      return pingNodes(parts, command.node, patience, say);
    case 'nodes':
      if (command.wait !== null) await waitForNodes(parts, command.wait, patience, say);
      return listNodes(parts, patience, say);
    case 'status':
      return readStatus(parts, patience, say);
    case 'history':
      return history(parts.store, command.module);
    case 'keys rotate':
      return rotateKeys(parts.keyring, parts.store, command.overlap);
    default: {
      const check: never = command;
      return check;
    }
  }
}

/** @throws UsageError when a name is none that a module can have, or is there twice. */
function checkModules(names: readonly string[]): void {
  const wrong = names.find(name => !isModuleName(name));
  if (wrong !== undefined)
    throw new UsageError(`${JSON.stringify(wrong)} is no module name: it must be ${MODULE_RULE}`);
  if (new Set(names).size < names.length) throw new UsageError('a module is named twice');
}

/** Compiles a module and loads it on one node, past the heads: what `c(demo)` is in Erlang. */
async function compileOn(
  { nats, subjects, store, fleet, candidates }: PushParts,
  { module, node, check, patience }: Extract<Command, { readonly type: 'compile' }>,
  say: Say,
): Promise<CompileResult> {
  const [expected, [compiled]] = await Promise.all([fleet.expected(), candidates([module], check, say)]);
  if (compiled === undefined) throw new TypeError(`${module} was not compiled`);
  const { bundle, packed } = compiled;
  const names = nameOf(expected, node, say);
  const answers = await gather<LoadReply>(nats, {
    ask: inbox => nats.publish(subjects.node(node, 'load'), store.sealLoad(node, packed), { reply: inbox }),
    decode: bytes => decode(loadReply, bytes),
    expected: names,
    patience,
  });
  return { command: 'compile', module, revision: bundle.revision, nodes: outcomesOf(answers, names) };
}
