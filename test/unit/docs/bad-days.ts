import { blocksOf, type Page, readPage } from './pages.ts';

/** A day of docs/operations.md: what an operator sees, and what the operator types. */
export interface BadDay {
  readonly title: string;
  /** The parts of its text, by the words that begin them: `You see`, `It means`, `Type`. */
  readonly parts: ReadonlyMap<string, string>;
  /** The texts between backticks in `You see`: those that are neither a command nor a service. */
  readonly seen: readonly string[];
  /** The commands, in their order, as they stand in the page. */
  readonly commands: readonly string[];
}

const PART = /^\*\*(You see|It means|Type)\*\*/;
const COMMAND = /^(?:make|docker|hotcast|setup\/hotcast)\b|^[a-z-]+$/;

/** The section with the days: its introduction under the title '', then each day. */
export function badDays(): BadDay[] {
  const { text } = readPage('docs/operations.md');
  const section = /^## Bad days\n([\s\S]*?)^## /m.exec(text)?.[1] ?? '';
  return section.split(/^### /m).map((day, index) => {
    const title = index === 0 ? '' : (day.split('\n')[0] ?? '');
    const paragraphs = day.split(/\n{2,}/);
    const parts = new Map(
      paragraphs.flatMap(each => {
        const name = PART.exec(each)?.[1];
        return name === undefined ? [] : [[name, each.replaceAll('\n', ' ')] as const];
      }),
    );
    const quoted = [...(parts.get('You see') ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
    const page: Page = { path: title, text: day };
    const commands = blocksOf(page).flatMap(({ language, lines }) => (language === 'sh' ? lines : []));
    return {
      title,
      parts,
      seen: quoted.filter(each => !COMMAND.test(each) || each === 'quarantined' || each === 'silent'),
      commands: commands.filter(line => line !== ''),
    };
  });
}
