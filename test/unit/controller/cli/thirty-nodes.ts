import type { CallResult, NodesResult, PushResult, ResultOf } from '../../../../controller/src/api/results.ts';
import { statusRows } from '../../../../controller/src/commands/status-rows.ts';
import { replicaName } from '../../../../protocol/names.ts';
import { descriptionOf, headOf, moduleStateOf } from '../../fixtures.ts';

const NODES = Array.from({ length: 30 }, (_, index) => replicaName(index + 1));

const MODULES = (
  'accounts basket billing catalog checkout counter coupons demo delivery images ' +
  'invoices mail orders prices products returns reviews search sessions stock'
).split(' ');

const revisionOf = (number: number): string =>
  (number * 0x9e3779b97f4a).toString(16).slice(-12).padStart(12, '0').padEnd(64, '0');

const heads = MODULES.map((module, index) => headOf(module, revisionOf(index + 1), index + 1));

const states = Object.fromEntries(
  heads.map(({ module, revision, sequence }) => [module, moduleStateOf(revision ?? '', sequence)]),
);

/** Barney refuses a revision, and hoppy is silent. */
const answers = new Map(
  NODES.map((node, index) => {
    if (node === 'hoppy') return [node, null];
    const description = {
      ...descriptionOf(node, states),
      uptimeSeconds: 7_200 + index,
      memoryBytes: (45 + (index % 6)) * 2 ** 20,
    };
    if (node !== 'barney') return [node, description];
    const { demo: _, ...modules } = states;
    const refusal = {
      sequence: 8,
      revision: revisionOf(8),
      reason: 'on_load_failure',
      detail: 'Error: no licence',
    } as const;
    return [node, { ...description, modules, refusals: { demo: refusal } }];
  }),
);

/** What commands answer on a fleet of 30 nodes with 20 modules, of which one node refuses one, and another node is silent. */
export const thirtyNodes: { push: PushResult; call: CallResult; nodes: NodesResult; status: ResultOf<'status'> } = {
  push: {
    command: 'push',
    modules: [{ module: 'demo', revision: revisionOf(8) }],
    unchanged: [],
    affected: [],
    outcome: 'committed',
    detail: '',
    nodes: NODES.map((node, index) =>
      node === 'hoppy' ? { node, status: 'silent' } : { node, status: 'loaded', ms: 14 + (index % 10) * 1.1 },
    ),
    times: { compile: 12.3, prepare: 11.2, write: 0.9, commit: 9.5, skew: 3.1 },
  },
  call: {
    command: 'call',
    call: 'demo.add(4, 5)',
    single: false,
    stack: false,
    nodes: NODES.map(node => {
      if (node === 'hoppy') return { node, status: 'silent' };
      if (node !== 'barney') return { node, status: 'value', revision: revisionOf(8), json: '9', output: [] };
      const message = 'module demo is not loaded on node barney';
      return { node, status: 'error', failure: 'undef', type: 'undef', message, output: [] };
    }),
  },
  nodes: {
    command: 'nodes',
    nodes: [...answers].map(([node, description]) =>
      description === null
        ? { node, status: 'silent', container: 'c1', group: 'node' }
        : { ...description, status: 'present', group: 'node' },
    ),
  },
  status: { command: 'status', heads, nodes: statusRows(heads, answers), changed: [], silent: ['hoppy'] },
};
