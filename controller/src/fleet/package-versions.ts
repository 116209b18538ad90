import type { NodeDescription } from '../../../protocol/messages.ts';
import { PACKAGE_VERSION } from '../../../shared/package-version.ts';

/** How many nodes a warning names. */
const MAX_NAMED_NODES = 3;

/** Which versions work together: docs/decisions/0011-versions.md. */
const COMPATIBLE = '. Releases that follow each other work together: upgrade the controller first, then the nodes';

/** A sentence for each version of Hotcast that nodes have and the controller has not. */
export function packageVersionWarnings(nodes: Iterable<Pick<NodeDescription, 'node' | 'version'>>): string[] {
  const nodesOf = new Map<string, string[]>();
  for (const { node, version } of nodes) {
    if (version === PACKAGE_VERSION) continue;
    const what = version === undefined ? 'an older version' : `version ${version}`;
    nodesOf.set(what, [...(nodesOf.get(what) ?? []), node]);
  }
  return [...nodesOf].map(([what, names]) => {
    const more = names.length > MAX_NAMED_NODES ? ` and ${names.length - MAX_NAMED_NODES} more` : '';
    return `${what} of Hotcast on ${names.slice(0, MAX_NAMED_NODES).join(', ')}${more}; the controller has ${PACKAGE_VERSION}${COMPATIBLE}`;
  });
}
