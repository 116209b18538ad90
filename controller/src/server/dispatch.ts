import { decode } from '../../../protocol/codec.ts';
import { UsageError } from '../../../protocol/errors.ts';
import { isModuleName, MODULE_RULE } from '../../../protocol/names.ts';
import { callNodes, listNodes, pingNodes, purgeNodes, readStatus, waitForNodes } from '../fleet/ask-nodes.ts';
import type { Command, OnReport } from '../api/command.ts';
import { selectNode } from '../fleet/membership.ts';
import { scatterGather } from '../fleet/scatter-gather.ts';
import { history } from '../commands/history.ts';
import type { Keyring } from '../store/keyring.ts';
import { push, type PushParts } from '../commands/push.ts';
import { dryRun } from '../commands/dry-run.ts';
import type { CompileResult, Result } from '../api/results.ts';
import { promote, remove, rollback } from '../commands/rollback.ts';
import { rotateKeys } from '../commands/rotate-keys.ts';
import { type LoadReply, loadReply, outcomesOf } from '../rollout/commit.ts';

/** What every command may need. */
export interface CommandParts extends PushParts {
  readonly keyring: Keyring;
}

/**
 * Carries out one command of the command line.
 *
 * @throws UsageError, CompileError, TypeCheckError, PreflightError and UnavailableError when nothing was sent.
 */
export async function runCommand(
  parts: CommandParts,
  cookie: string,
  command: Command,
  say: OnReport,
): Promise<Result> {
  if (command.cookie !== null && command.cookie !== cookie) {
    throw new UsageError(
      `this controller does not have the cookie ${JSON.stringify(command.cookie)}; nothing was sent`,
    );
  }
  checkModules('modules' in command ? command.modules : 'module' in command ? [command.module] : []);
  const { timeoutMs } = command;
  switch (command.type) {
    case 'push':
      return command.dryRun ? dryRun(parts, command, say) : push(parts, command, say);
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
      return pingNodes(parts, command.node, timeoutMs, say);
    case 'nodes':
      if (command.wait !== null) await waitForNodes(parts, command.wait, timeoutMs, say);
      return listNodes(parts, timeoutMs, say);
    case 'status':
      return readStatus(parts, timeoutMs, say);
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
  { module, node, check, timeoutMs }: Extract<Command, { readonly type: 'compile' }>,
  say: OnReport,
): Promise<CompileResult> {
  const [expected, [compiled]] = await Promise.all([fleet.expected(), candidates([module], check, say)]);
  if (compiled === undefined) throw new TypeError(`${module} was not compiled`);
  const { bundle, packed } = compiled;
  const names = selectNode(expected, node, say);
  const answers = await scatterGather<LoadReply>(nats, {
    ask: inbox => nats.publish(subjects.node(node, 'load'), store.signLoadCommand(node, packed), { reply: inbox }),
    decode: bytes => decode(loadReply, bytes),
    expected: names,
    timeoutMs,
  });
  return { command: 'compile', module, revision: bundle.revision, nodes: outcomesOf(answers, names) };
}
