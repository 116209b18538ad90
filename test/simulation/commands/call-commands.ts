import * as fc from 'fast-check';
import { expect } from 'vitest';

import { command } from './command.ts';
import { CALL_KINDS } from '../long-call.ts';
import { MODULES, NODES } from '../orders.ts';
import { definitely } from '../source.ts';

/** More calls at the same time rarely show anything new. */
const MAX_CALLS = 8;

/** Most calls are to one module on one node, so that several of its versions drain. */
export const call = fc
  .tuple(
    fc.constantFrom('fred', ...NODES),
    fc.constantFrom('demo', ...MODULES),
    fc.constantFrom(...CALL_KINDS),
    fc.nat(1),
  )
  .map(([name, module, kind, at]) =>
    command(
      `${kind} of ${module} on ${name}, through import ${at}`,
      async cluster => {
        const { model } = definitely(cluster.nodes.get(name));
        const imports = definitely(model.get(module).current).source.imports;
        const loaded = imports.filter(each => model.get(each).current !== null);
        const inside = kind === 'callInside' ? loaded[at % loaded.length] : module;
        await cluster.call(name, module, { function: inside === undefined ? 'call' : kind, inside: inside ?? module });
      },
      cluster =>
        cluster.calls.length < MAX_CALLS && (cluster.nodes.get(name)?.model.get(module).current ?? null) !== null,
    ),
  );

export const endCall = fc.nat(MAX_CALLS - 1).map(index =>
  command(
    `call ${index} ends`,
    async cluster => {
      const ending = definitely(cluster.calls[index % cluster.calls.length]);
      if (!ending.isPurged) await cluster.endCall(ending);
      else cluster.calls = cluster.calls.filter(each => each !== ending);
    },
    cluster => cluster.calls.length > 0,
  ),
);

export const purge = fc.tuple(fc.constantFrom(...MODULES), fc.boolean()).map(([module, force]) =>
  command(
    `${force ? 'purge' : 'soft-purge'} ${module}`,
    async cluster => {
      const heard = [...cluster.nodes.values()].filter(({ name }) => cluster.network.answers(name));
      const foreseen = heard.map(({ name, model }) => {
        const { calls, versions } = force ? { calls: 0, versions: 0 } : model.busy(module);
        return versions === 0 ? `${name}: purged` : `${name}: busy with ${calls} on ${versions}`;
      });
      const rows = (await cluster.purge(module, force)).flatMap(row => {
        if (row.status === 'silent') return [];
        if (row.status === 'purged') return [`${row.node}: purged`];
        return [`${row.node}: busy with ${row.calls} on ${row.draining?.length ?? 0}`];
      });
      expect(rows.toSorted()).toEqual(foreseen.toSorted());
    },
    cluster => cluster.stream.lastHead(module).head !== null,
  ),
);

export const changeMemory = fc.constantFrom(...NODES).map(name =>
  command(
    `${name} has more or less memory left`,
    async cluster => {
      const { model } = definitely(cluster.nodes.get(name));
      model.isMemoryScarce = !model.isMemoryScarce;
    },
    cluster => cluster.nodes.has(name),
  ),
);
