import { type ErrorDescription, errorText } from '../../../../protocol/error-description.ts';
import type { Output } from '../../api/output.ts';
import type { Logged } from '../../api/report.ts';
import type { ResultOf } from '../../api/results.ts';
import { at, listed } from '../format.ts';
import { groupedBy } from '../grouping.ts';

/** Characters that control a terminal. A module can print any. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g;

/** What modules logged: an entry a line, or more if it was printed so, and how many were dropped. */
export function renderLogged({ entries, dropped }: Logged): string {
  const lines = entries.map(entry => {
    const { nodes, count, module, revision, level, text } = entry;
    const who = nodes.length === 1 ? (nodes[0] ?? '') : `${nodes.length} nodes`;
    const times = count === 1 ? '' : ` ×${count}`;
    const mark = level === 'info' ? '' : ` ${level}`;
    return `${timeOf(entry.at)} ${who}${times} ${at(module, revision)}${mark}  ${printable(text)}`;
  });
  const counted = dropped.toLocaleString('en-US');
  const more = dropped === 0 ? [] : [`… ${counted} dropped: name modules, or use --grep, --level or --node`];
  return [...lines, ...more].join('\n');
}

/** The last errors of each revision, the newest first; equal errors of many nodes are one, unless each node gets its own. */
export function renderErrors({ module, nodes }: ResultOf<'errors'>, verbose: boolean): string {
  const kept = nodes.flatMap(row =>
    row.status === 'silent'
      ? []
      : row.revisions.flatMap(({ revision, errors }) =>
          errors.map(error => ({ ...error, revision, node: row.node, text: textOf(error) })),
        ),
  );
  const silent = nodes.flatMap(({ node, status }) => (status === 'silent' ? [node] : []));
  const newest = kept.toSorted((a, b) => b.at - a.at);
  const blocks = [...groupedBy(newest, ({ revision }) => revision)].map(([revision, errors]) => {
    const groups = groupedBy(errors, ({ text, node }) => (verbose ? `${node}\n${text}` : text));
    const lines = [...groups.values()].flatMap(group => {
      const [first] = group;
      if (first === undefined) return [];
      const count = group.reduce((sum, each) => sum + each.count, 0);
      const names = group.map(({ node }) => node);
      const who = names.length === 1 ? names[0] : `${names.length} nodes`;
      return [`  ${new Date(first.at).toISOString()}  ${who} ×${count}`, indented(first.text)];
    });
    return [at(module, revision), ...lines];
  });
  return [
    ...(kept.length === 0 ? [`no errors of ${module} are known`] : blocks.flat()),
    ...(silent.length === 0 ? [] : [`silent: ${listed(silent)}`]),
  ].join('\n');
}

function textOf({ where, error }: { readonly where: string; readonly error: ErrorDescription }): string {
  return printable(`${where}: ${errorText(error)}`);
}

function timeOf(time: number): string {
  return new Date(time).toLocaleTimeString('en-GB');
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}

/** A text that does nothing to a terminal. */
export function printable(text: string): string {
  return text.replaceAll(CONTROLS, control => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Each entry as a line of output, and one for what was dropped. */
export function outputOfLogged({ entries, dropped }: Logged): Output[] {
  return [...entries.map(entry => ({ logged: entry })), ...(dropped === 0 ? [] : [{ dropped }])];
}
