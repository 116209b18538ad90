import type { Cluster } from './cluster.ts';

/** A module whose one function says which version it is. */
export const version = (name: string): string => `export function version() { return '${name}'; }\n`;

/** The same, but it throws while it loads on one node. */
export async function badOn(cluster: Cluster, node: string, name: string): Promise<string> {
  const { Id } = await (await cluster.container(node)).inspect();
  return `
    import { hostname } from 'node:os';
    if (hostname() === '${Id.slice(0, 12)}') throw new RangeError('not on ${node}');
    ${version(name)}
  `;
}

/** A first line that throws on every node, and not in the controller's preflight, which has no files. */
export const BAD_ON_NODES = `import { existsSync } from 'node:fs';
if (!existsSync('/work/controller.mjs')) throw new RangeError('not today');
`;
