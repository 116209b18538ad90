import { UsageError } from '../../../protocol/errors.ts';
import { compareNodes } from '../../../protocol/names.ts';
import { canaryRank, type CanaryScope, shareScope } from '../../../protocol/canary-scope.ts';

/**
 * Reads the scope of a canary: a number of nodes (`1`), a share of the fleet (`10%`), or names (`fred,betty`).
 *
 * @throws UsageError when the text is none of them, or names what does not exist.
 */
export function parseScope(text: string, nodes: readonly string[]): CanaryScope {
  const [, digits, percent] = /^(\d+)(%?)$/.exec(text) ?? [];
  if (digits === undefined) return namesScope(text.split(','), nodes);
  const number = Number(digits);
  if (percent === '%') {
    if (number < 1 || number > 100) throw new UsageError(`a canary's share is 1% to 100%, not ${text}`);
    return shareScope(number / 100, nodes);
  }
  if (number < 1 || number > nodes.length) {
    throw new UsageError(`a canary on ${text} nodes needs between 1 and the ${nodes.length} that there are`);
  }
  return { type: 'names', names: nodes.toSorted((a, b) => canaryRank(a) - canaryRank(b)).slice(0, number) };
}

function namesScope(names: readonly string[], nodes: readonly string[]): CanaryScope {
  for (const name of names) {
    if (nodes.includes(name)) continue;
    const known = nodes.toSorted(compareNodes).join(', ');
    throw new UsageError(`${JSON.stringify(name)} is no node, number or share for a canary; nodes here: ${known}`);
  }
  return { type: 'names', names: [...names] };
}
