import { nodeNameOf } from '../../protocol/names.ts';

/** What Compose writes before the lines of a node: `node-3        | `. */
const NODE_PREFIX = /^(?<replica>node-\d+)(?<space> *)(?= \| )/;

/** A line of `docker compose logs` with the name of the node in place of its number: `betty         | …`. The rest stays as it is. */
export function nameNode(line: string): string {
  return line.replace(NODE_PREFIX, (prefix, replica: string) => nodeNameOf(replica, '').padEnd(prefix.length));
}
