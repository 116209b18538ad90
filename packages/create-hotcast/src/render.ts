import { type ByHand, type Plan, STAYS } from './add-project.ts';
import type { Choices } from './templates.ts';

/** What an addition changes, and what it leaves to the user. */
export function additionText({ files, keys, byHand }: Plan): string {
  const sections = [
    section(
      'New files:',
      files.map(({ path }) => path),
    ),
    section(
      'New keys of package.json:',
      keys.map(({ section: where, name, value }) => `${where}: "${name}": ${JSON.stringify(value)}`),
    ),
    section('To add by hand, because it exists:', byHand.map(byHandText)),
  ];
  const text = sections.filter(each => each !== '').join('\n');
  return files.length + keys.length === 0 ? `${text}Everything else is there.` : text;
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${[title, ...lines.map(line => `  ${line}`)].join('\n')}\n`;
}

/** More than one line begins below the name of the file. */
function indented(text: string): string {
  const lines = text.trimEnd().split('\n');
  return lines.length === 1 ? text.trimEnd() : ['', ...lines].join('\n      ');
}

const byHandText = ({ path, what }: ByHand): string => `${path}: ${indented(what)}`;

/** What is next in a new project. */
export function nextSteps(choices: Choices, isInstalled: boolean): string {
  return next([`cd ${choices.name}`, ...commands(choices, isInstalled)]);
}

/** What is next in a repository with an addition: at first what is left to the user. */
export function nextStepsOfAddition(choices: Choices, isInstalled: boolean, byHand: readonly ByHand[]): string {
  const first = byHand.filter(({ what }) => what !== STAYS).map(each => `by hand, in ${byHandText(each)}`);
  return next([...first, ...commands(choices, isInstalled, 'fleet:')]);
}

const next = (steps: readonly string[]): string => ['Next:', ...steps.map(step => `  ${step}`)].join('\n');

function commands({ packageManager, template }: Choices, isInstalled: boolean, prefix = ''): string[] {
  const { install, run, exec } = packageManager;
  const modules = { minimal: 'demo counter', http: 'api', 'websocket-game': 'game' }[template];
  const call = { minimal: 'demo.add(4, 5)', http: 'api.visits()', 'websocket-game': 'game.players()' }[template];
  return [
    ...(isInstalled ? [] : [install]),
    `${run} ${prefix}up`,
    `${exec} hotcast push ${modules}`,
    `${exec} hotcast call '${call}'`,
  ];
}
