import type { Bundle } from '../../../../protocol/bundle.ts';
import { hotImportsIn } from '../../../../shared/load-order.ts';

/** How many modules a group has, if not more of them belong together. */
const GROUP_SIZE = 8;

/** Splits modules into groups of which none imports another one, so that each can be evaluated without the others. */
export function independentGroups(bundles: readonly Bundle[]): Bundle[][] {
  const groups: Bundle[][] = [];
  for (const together of connected(bundles)) {
    const last = groups.at(-1);
    if (last !== undefined && last.length + together.length <= GROUP_SIZE) last.push(...together);
    else groups.push([...together]);
  }
  return groups;
}

/** The modules that import each other as `hot:<module>`, directly or not, in whichever direction. */
function connected(bundles: readonly Bundle[]): Set<readonly Bundle[]> {
  const partOf = new Map(bundles.map(bundle => [bundle.module, [bundle]]));
  for (const { module, code } of bundles) {
    for (const imported of hotImportsIn(code)) {
      const [part, other] = [partOf.get(module), partOf.get(imported)];
      if (part === undefined || other === undefined || part === other) continue;
      part.push(...other);
      for (const each of other) partOf.set(each.module, part);
    }
  }
  return new Set(partOf.values());
}
