import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../../support/shell.ts';

/** A page of the documentation. */
export interface Page {
  /** From the root of the project. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  readonly lines: readonly string[];
}

const TOP = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];

/** Every page for users and developers; a page that does not exist is left out. */
export function allPages(): Page[] {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.md'))
    .map(path => join('docs', path));
  return [...TOP, ...below].filter(path => existsSync(join(ROOT, path))).map(readPage);
}

export function readPage(path: string): Page {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') };
}

const FENCE = /^ *```(\w*)\n([\s\S]*?)^ *```$/gm;

export function blocksOf({ text }: Page): Block[] {
  return [...text.matchAll(FENCE)].map(([, language = '', body = '']) => ({ language, lines: body.split('\n') }));
}

/** The text outside fenced blocks. */
export function proseOf({ text }: Page): string {
  return text.replaceAll(FENCE, '');
}

/** The texts between backticks in the prose. */
export function codeSpansOf(page: Page): string[] {
  return [...proseOf(page).matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll(/\s+/g, ' '));
}

/** The targets of a page's links, without those to other sites. */
export function relativeLinksOf(page: Page): string[] {
  const targets = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter(target => !/^[a-z]+:/.test(target));
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: Page): string[] {
  const headings = [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map(heading =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

/** The commands that a page shows: in code spans, in blocks for a shell, and after the `$` of a transcript. */
export function commandsOf(page: Page): string[] {
  const typed = blocksOf(page).flatMap(({ language, lines }) => {
    if (language === 'sh') return lines;
    if (language !== 'console') return [];
    return lines.flatMap(line => /^ *\$ (.+)$/.exec(line)?.[1] ?? []);
  });
  const lines = [...codeSpansOf(page), ...typed].map(line => line.replace(/ +# .*$/, ''));
  return lines.flatMap(line => line.split('&&')).map(command => command.trim());
}

/** The words of a command, as a shell splits it; quotes are removed. */
export function wordsOf(command: string): string[] {
  const words = [...command.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) => word.replaceAll(/['"]/g, ''));
  return words.filter(word => word !== '…');
}
