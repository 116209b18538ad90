import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import { afterAll } from 'vitest';

import { create, type Questions } from '../../../../packages/create-hotcast/src/create.ts';
import { readOptions } from '../../../../packages/create-hotcast/src/options.ts';

type Files = Readonly<Record<string, string>>;

/** What one run of the program has said, asked, installed and left. */
export interface Run {
  readonly said: string;
  readonly asked: readonly string[];
  readonly installed: readonly string[];
  readonly files: Files;
}

export interface Around {
  /** The answers to the questions, in their order; without them there is no terminal. */
  readonly answers?: readonly unknown[];
  readonly userAgent?: string;
  readonly installs?: boolean;
}

/** Returns a function that makes a folder with files. All are removed after the file's tests. */
export function folders(): (files?: Files) => string {
  const root = mkdtempSync(join(tmpdir(), 'hotcast-create-'));
  afterAll(() => rmSync(root, { recursive: true }));
  return (files = {}) => {
    const folder = mkdtempSync(join(root, 'folder-'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return folder;
  };
}

/** Runs `create-hotcast …` in a folder. */
export async function run(folder: string, args: readonly string[], around: Around = {}): Promise<Run> {
  const { answers, userAgent, installs = true } = around;
  const said: string[] = [];
  const asked: string[] = [];
  const installed: string[] = [];
  await create(readOptions(args), {
    folder,
    userAgent,
    questions: answers === undefined ? null : questionsWith([...answers], asked),
    say: text => void said.push(text),
    install: (command, where) => {
      installed.push(`${command} in ${relative(folder, where) || '.'}`);
      return Promise.resolve(installs);
    },
  });
  return { said: said.join('\n'), asked, installed, files: filesIn(folder) };
}

function questionsWith(answers: unknown[], asked: string[]): Questions {
  const next = <Answer>(question: string): Promise<Answer> => {
    asked.push(question);
    return Promise.resolve(answers.shift() as Answer);
  };
  return { text: message => next(message), template: () => next('Template'), confirm: message => next(message) };
}

/** The texts of all files in a folder, by their paths. */
export function filesIn(folder: string): Files {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(each => each.isFile());
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name)).toSorted();
  return Object.fromEntries(paths.map(path => [relative(folder, path), readFileSync(path, 'utf8')]));
}
