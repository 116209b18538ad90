import { networkInterfaces } from 'node:os';

import { UsageError } from '../../../protocol/errors.ts';
import { FIRST_SERVICE, nodeNameOf, serviceOf } from '../../../protocol/names.ts';
import { reverseDns } from '../../../shared/reverse-dns.ts';

/**
 * The preferred name of this node, made from the name of its task, or from the name of its address in Docker's DNS
 * (`hotcast-node-3.hotcast_default` → `betty`). It is the same after a restart of the container. Without this DNS (outside Docker's
 * networks) the name is made from the container's id. The auth callout makes the same name of the same name.
 *
 * @param container the container's short id, which is its host name.
 * @param names the name of the Compose project or stack and the offset of the machine, see {@link nodeNameOf}; the name of the task, ''
 *   for none.
 */
export async function resolveNodeName(
  container: string,
  {
    project,
    replicaOffset,
    taskName,
  }: { readonly project: string; readonly replicaOffset: number; readonly taskName: string },
): Promise<string> {
  if (taskName !== '') return nodeNameOf(taskName, project);
  const addresses = Object.values(networkInterfaces()).flatMap(list => list ?? []);
  for (const { internal, family, address } of addresses) {
    if (internal || family !== 'IPv4') continue;
    const host = await reverseDns(address);
    if (host !== null) return nodeNameOf(host, project, replicaOffset);
  }
  return nodeNameOf(`node-${container.slice(0, 6)}x`, project);
}

/**
 * Checks that a node is in the group that its configuration names: its name, which the auth callout has decided, says its service.
 *
 * @param group '' for any. Which name the first group has is for the controller to say.
 * @throws UsageError when it is in another one.
 */
export function checkGroup(node: string, group: string): void {
  const service = serviceOf(node);
  if (group === '' || group === service || service === FIRST_SERVICE) return;
  throw new UsageError(
    `HOTCAST_GROUP is ${group}, but this node is ${node}, of the service ${service}: give the service the name of its group`,
  );
}
