import { inspect } from 'node:util';

import { errorLine, errorText } from '../../../../protocol/error-description.ts';
import type { ExportsAnswer } from '../../../../protocol/shell-messages.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import { decodeValue } from '../../../../protocol/values/decode.ts';
import { ageText } from '../../../../shared/age.ts';
import type { CallResult, ResultOf } from '../../api/results.ts';
import { drainingText } from '../format.ts';
import { groupedBy, nodesText } from '../grouping.ts';
import { printable } from '../render/logs.ts';

type CallRow = CallResult['nodes'][number];

/** How an answer is shown. */
export interface Style {
  readonly colors: boolean;
  /** `demo:add/2` for a call as Erlang writes it; null: JavaScript. */
  readonly erlang: string | null;
}

/** An atom as Erlang prints it: `fred@dino`, `'node-31@dino'`. */
export function atom(text: string): string {
  return /^[a-z][\w@]*$/.test(text) ? text : `'${text}'`;
}

/** What a call printed and gave, on one node. */
export function callText(node: CallRow, style: Style): string {
  const printed = node.status === 'silent' ? [] : node.output.map(line => `${node.node} | ${printable(line)}`);
  return [...printed, answerText(node, style)].join('\n');
}

/** The same of all nodes: equal answers are one. */
export function groupedCallText(nodes: readonly CallRow[], style: Style): string {
  const answers = nodes.map(row => ({
    node: row.node,
    output: row.status === 'silent' ? [] : row.output,
    text: answerText(row, style),
  }));
  const groups = groupedBy(answers, ({ output, text }) => JSON.stringify([output, text]));
  return [...groups.values()]
    .toSorted((a, b) => b.length - a.length)
    .flatMap((group, index) => {
      const who = nodesText(group, index);
      const [first = '', ...rest] = group[0]?.text.split('\n') ?? [];
      return [...(group[0]?.output ?? []).map(line => `${who} | ${printable(line)}`), `${first}  ← ${who}`, ...rest];
    })
    .join('\n');
}

function answerText(node: CallRow, { colors, erlang }: Style): string {
  const thrown = erlang === null ? 'Uncaught ' : '** exception error: ';
  if (node.status === 'silent') return `${thrown}${node.node} is silent: ${node.detail ?? 'no answer in time'}`;
  // As the shell of Node.js prints values.
  if (node.status === 'value') return inspect(decodeValue(node.json), { colors, showProxy: true });
  if (node.failure === 'undef' && erlang !== null) return `${thrown}undefined function ${erlang}`;
  return `${thrown}${node.stack === undefined ? errorLine(node) : errorText(node)}`;
}

/** The modules of each node with their exports. */
export function renderExports({ nodes }: ResultOf<'exports'>): string {
  const blocks = nodes.flatMap(row => {
    if (row.status === 'silent') return [`${row.node} is silent`];
    return Object.keys(row.modules).map(module => `${row.node}\n${moduleText(row, module) ?? ''}`);
  });
  return blocks.join('\n');
}

/** What `m(demo).` prints of a module; null when the node does not run it. */
export function moduleText({ node, modules, draining }: ExportsAnswer, module: string): string | null {
  const running = Object.hasOwn(modules, module) ? modules[module] : undefined;
  if (running === undefined) return null;
  const { revision, sequence, loadedAt, exports } = running;
  const age = ageText(Math.max(0, Date.now() - loadedAt));
  const others = draining.filter(version => version.module === module);
  return [
    `Module: ${module}`,
    `Revision: ${shortRevision(revision)}${sequence === 0 ? ` (on ${node} only)` : ''}`,
    `Loaded: ${new Date(loadedAt).toISOString()} (${age} ago)`,
    `Slots: current${others.length === 0 ? ', nothing drains' : ''}`,
    ...others.map(version => `       ${drainingText(version)}`),
    'Exports:',
    ...exports.map(({ name, arity }) => `         ${arity === null ? name : `${name}/${arity}`}`),
  ].join('\n');
}
