import type { Cluster } from './cluster.ts';

/** A module with one function, which returns the version's name. */
export const versionSource = (name: string): string => `export function version() { return '${name}'; }\n`;

/** The same module, but it throws on one node while it loads. */
export async function throwsOnNode(cluster: Cluster, node: string, name: string): Promise<string> {
  const { Id } = await (await cluster.container(node)).inspect();
  return `
    import { hostname } from 'node:os';
    if (hostname() === '${Id.slice(0, 12)}') throw new RangeError('not on ${node}');
    ${versionSource(name)}
  `;
}

/** A first line that throws on every node, but not in the controller's preflight, which has no file system. */
export const THROWS_ON_NODES = `import { existsSync } from 'node:fs';
if (!existsSync('/work/controller.mjs')) throw new RangeError('not today');
`;
