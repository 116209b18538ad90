import { decodeValue } from '../../../../protocol/values/decode.ts';
import type { Cluster } from '../../../support/cluster/cluster.ts';

/** The value that a call returns on fred. */
export async function valueOnFred(cluster: Cluster, call: string): Promise<unknown> {
  const { result, stdout } = await cluster.call(call, '--node', 'fred', '--timeout', '60');
  const [answer] = result.nodes;
  if (answer?.status !== 'value') throw new Error(`${call} returned no value: ${stdout}`);
  return decodeValue(answer.json);
}

/** The state of a module on fred, its versions that drain there, and fred's process. */
export async function moduleOnFred(cluster: Cluster, module: string) {
  const node = (await cluster.nodes()).find(each => each.node === 'fred');
  if (node?.status !== 'present') throw new Error('fred is silent');
  const { pid, startedAt, modules } = node;
  const draining = node.draining.filter(version => version.module === module);
  return { process: { pid, startedAt }, module: modules[module], draining };
}
