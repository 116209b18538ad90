import type { Saved } from '../../api/report.ts';
import { at, listed, ms } from '../format.ts';
import { renderPush } from './changes.ts';

/** A save in one line: `12:04:31 demo@3f2a9c81b0d4 live on 30 in 61 ms`. More lines only for what is wrong, until it is repaired. */
export function renderSaved(save: Saved, verbose: boolean): string {
  const time = new Date(save.at).toLocaleTimeString('en-GB');
  const still = save.broken.map(line => `         still wrong: ${line}`);
  return [...linesOf(save, verbose).map((line, index) => (index === 0 ? `${time} ${line}` : line)), ...still].join(
    '\n',
  );
}

function linesOf(save: Saved, verbose: boolean): string[] {
  const { result, problem, saved } = save;
  if (problem !== null) return problem.split('\n');
  if (result === null) return [`${listed(saved)} as it was pushed; nothing to push`.trimStart()];
  const names = namesOf(save);
  if (result.outcome !== 'committed') return [`${names} ${result.outcome}`, ...renderPush(result, verbose).split('\n')];
  const live = result.nodes.filter(({ status }) => status === 'loaded').length;
  const silent = result.nodes.flatMap(({ node, status }) => (status === 'silent' ? [node] : []));
  const who = silent.length === 0 ? '' : `; silent: ${listed(silent)}`;
  return [`${names} live on ${live} in ${ms(save.ms)}${who}`];
}

/** The modules that were saved, and how many others were pushed because they share a file. */
function namesOf({ result, saved }: Saved): string {
  const modules = result?.modules ?? [];
  const own = modules.filter(({ module }) => saved.includes(module));
  const named = own.length === 0 ? modules : own;
  const others = modules.length - named.length;
  const more = others === 0 ? '' : ` +${others} that import it`;
  return `${listed(named.map(({ module, revision }) => at(module, revision)))}${more}`;
}
