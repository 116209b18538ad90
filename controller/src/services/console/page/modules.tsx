import type { CanaryScope } from '../../../../../protocol/canary-scope.ts';
import { desiredRevision, type Head, isOnHead } from '../../../../../protocol/head.ts';
import type { NodeView } from '../model/node.ts';
import { count } from './format.ts';
import { Ago, RevisionLink, htmlOf } from './glyph.tsx';

/** What the nodes make of one module. */
interface Tally {
  readonly total: number;
  readonly onHead: number;
  readonly differing: readonly string[];
  readonly inCanary: number;
  readonly calls: number;
  readonly errors: number;
}

export function tallyOf(head: Head, nodes: readonly NodeView[]): Tally {
  let [total, onHead, inCanary, calls, errors] = [0, 0, 0, 0, 0];
  const differing: string[] = [];
  for (const { name, description, leftAt } of nodes) {
    if (description === null || leftAt !== null) continue;
    total += 1;
    const running = description.modules[head.module];
    if (isOnHead(head, name, running)) onHead += 1;
    else differing.push(name);
    if (head.canary !== null && desiredRevision(head, name) === head.canary.revision) inCanary += 1;
    calls += running?.calls ?? 0;
    errors += running?.errors ?? 0;
  }
  return { total, onHead, differing, inCanary, calls, errors };
}

export function moduleHtml(head: Head, nodes: readonly NodeView[]): string {
  return htmlOf(<Row head={head} tally={tallyOf(head, nodes)} />);
}

const Row = ({ head, tally }: { readonly head: Head; readonly tally: Tally }) => {
  const { module, revision, canary, at, author, message = '', note } = head;
  const { total, onHead, differing, inCanary, calls, errors } = tally;
  const all = onHead === total;
  return (
    <tr id={`module-${module}`} data-level={all ? 'ok' : 'warn'}>
      <th scope="row">
        {revision === null ? <b>{module}</b> : <RevisionLink module={module} revision={revision} />}
        {revision === null && <span class="dim"> removed</span>}
        {canary !== null && (
          <span class="canary">
            canary <RevisionLink module={module} revision={canary.revision} /> on {count(inCanary)} (
            {scopeText(canary.scope)})
          </span>
        )}
      </th>
      <td class="on">
        <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
          <rect class="rest" width="100" height="6" />
          <rect class="done" width={total === 0 ? 0 : (100 * onHead) / total} height="6" />
        </svg>
        <span class="num">
          {count(onHead)}/{count(total)}
        </span>
        {!all && <span class="differs">{differs(differing)}</span>}
      </td>
      <td class="num calls">{count(calls)}</td>
      <td class={`num failed${errors > 0 ? ' hot' : ''}`}>{count(errors)}</td>
      <td class="who">
        <Ago at={at} /> <span class="dim">by {author}</span>
        <span class="said">{message === '' ? (note === 'push' ? '' : note) : message}</span>
      </td>
    </tr>
  );
};

function differs(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `not ${shown} and ${names.length - 3} more` : `not ${shown}`;
}

function scopeText(scope: CanaryScope): string {
  return scope.type === 'share' ? `${Math.round(100 * scope.upTo)}% of the nodes` : scope.names.slice(0, 4).join(', ');
}
