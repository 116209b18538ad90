import type { Event } from '../../../../protocol/history/event.ts';
import { at } from '../format.ts';
import { printable } from './logs.ts';
import { doubtful, good, outcomeWord } from '../style.ts';

const CHANGES = { started: good, stopped: String, silent: doubtful, back: good } as const;

/** An event on one line: its position, when, who, what, and what came of it. */
export function renderEvent(event: Event): string {
  const parts = event.kind === 'node' ? nodeParts(event) : changeParts(event);
  const text = [String(event.position).padStart(6), new Date(event.at).toISOString(), ...parts];
  return text.filter(part => part !== '').join('  ');
}

function nodeParts({ node, change, detail }: Extract<Event, { kind: 'node' }>): string[] {
  return [node, CHANGES[change](change), detail];
}

function changeParts(event: Extract<Event, { kind: 'change' }>): string[] {
  const { author, command, cause, modules, outcome, detail, canary, message } = event;
  const names = modules.map(({ module, revision }) => (revision === null ? module : at(module, revision))).join(' ');
  return [
    printable(author),
    cause === undefined || cause === 'operator' ? command : `${command} (${cause})`,
    canary === undefined ? names : `${names} as a canary on ${printable(canary)}`,
    outcomeWord(outcome),
    printable(detail.split('\n', 1)[0] ?? ''),
    message === undefined ? '' : JSON.stringify(message),
  ];
}
