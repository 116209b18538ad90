import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { TypeCheck } from '../../../controller/src/build/type-check.ts';
import { ROOT } from '../../support/shell.ts';
import { projects } from '../projects.ts';
import {
  allPages,
  anchorsOf,
  blocksOf,
  codeSpansOf,
  commandsOf,
  type Page,
  proseOf,
  readPage,
  relativeLinksOf,
  wordsOf,
} from './pages.ts';

const pages = allPages();
/** The command line of the host, and the tests of users. */
const host = filesIn('packages/hotcast/src');
const testing = filesIn('packages/testing/src');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const OLD_WORDS =
  /\b(?:keeper|rehears|patience|way back|parcel|knows nothing|let in\b|lets go|may take|may hold|may block|may write|seal(?:s|ed|ing)?\b|door\b|gate\b|obey|whereabouts|presence)/gi;

function oldWordsIn(text: string): string[] {
  return [...text.matchAll(OLD_WORDS)].map(([word]) => word);
}

describe('README', () => {
  const readme = readPage('README.md');

  it('has at most 150 lines', () => {
    expect(readme.text.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });

  it('has its sections in the order in which a newcomer reads', () => {
    const titles = [...proseOf(readme).matchAll(/^#+ (.+)$/gm)].map(([, title]) => title);
    expect(titles).toEqual([
      'Hotcast',
      'Why, and when not to use it',
      'Try it in two minutes',
      'Use it in your project',
      'Write a module',
      'Everyday commands',
      'How it works',
      'How fast',
      'What is guaranteed',
    ]);
  });

  it('begins with a transcript and has one picture', () => {
    const languages = blocksOf(readme).map(({ language }) => language);
    expect(languages[0]).toBe('console');
    expect(languages.filter(language => language === 'mermaid')).toHaveLength(1);
  });

  it('links to every page', () => {
    const linked = new Set(relativeLinksOf(readme).map(target => normalize(target)));
    const others = pages.map(({ path }) => path).filter(path => !path.startsWith('docs/decisions/0'));
    expect(others.filter(path => path !== 'README.md' && !linked.has(path))).toEqual([]);
  });
});

describe('every page', () => {
  it('has links that lead somewhere', () => {
    const broken = pages.flatMap(page =>
      relativeLinksOf(page).flatMap(target => {
        const [file = '', anchor] = target.split('#');
        const path = file === '' ? page.path : normalize(join(dirname(page.path), file));
        if (!existsSync(join(ROOT, path))) return [`${page.path}: ${target}`];
        const isFound = anchor === undefined || anchorsOf(readPage(path)).includes(anchor);
        return isFound ? [] : [`${page.path}: ${target}`];
      }),
    );
    expect(broken).toEqual([]);
  });

  it('names targets of make with the variables that they take', () => {
    const makefile = read('Makefile');
    const recipes = new Map(
      [...makefile.matchAll(/^([a-z-]+):.*\n((?:\t.*\n)*)/gm)].map(([, target = '', recipe = '']) => [target, recipe]),
    );
    const environment = variablesIn(['docker-compose.yml', 'setup/http-port.sh', ...host]).add('COOKIE');
    const wrong = each(pages, page =>
      commandsOf(page).filter(command => {
        const words = wordsOf(command);
        const at = words.indexOf('make');
        // In prose, `make` is the program.
        if (at === -1 || words.length === 1 || words.slice(0, at).some(word => !word.includes('='))) return false;
        const folder = words.indexOf('-C');
        const given = words
          .slice(at + 1)
          .filter((_, index) => folder === -1 || ![folder, folder + 1].includes(at + 1 + index));
        const targets = given.filter(word => !word.includes('=')).map(target => recipes.get(target));
        if (targets.length === 0 || targets.includes(undefined)) return true;
        const names = [...words.slice(0, at), ...given].filter(word => word.includes('=')).map(nameOf);
        return names.some(name => !environment.has(name) && !targets.some(recipe => recipe?.includes(`$(${name})`)));
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('names commands and options of hotcast that there are', () => {
    const folder = 'controller/src/cli';
    const source = [...filesIn(folder), ...host].map(read).join('\n');
    const isDefined = (text: string): boolean => new RegExp(`['"\`]${text}[ '"\`]`).test(source);
    // CONTRIBUTING.md shows how to add a command that does not exist.
    const forUsers = pages.filter(({ path }) => path !== 'CONTRIBUTING.md');
    const wrong = each(forUsers, page =>
      commandsOf(page).filter(command => {
        const words = wordsOf(command);
        const at = words.findIndex(word => word === 'hotcast' || word.endsWith('setup/hotcast'));
        if (at === -1 || at === words.length - 1 || (at > 0 && words[0] !== 'docker')) return false;
        const given = words.slice(at + 1);
        const options = given.filter(word => word.startsWith('--'));
        const names = given.slice(0, given[0] === 'keys' ? 2 : 1);
        return [...names, ...options].some(word => !isDefined(word));
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('names services that docker-compose.yml has', () => {
    const compose = read('docker-compose.yml');
    const wrong = each(pages, page =>
      commandsOf(page).filter(command => {
        const [docker, program, verb = '', ...words] = wordsOf(command.replaceAll(/ -f \S+/g, ''));
        if (docker !== 'docker' || program !== 'compose') return false;
        const [service, ...more] = words.filter(word => !word.startsWith('-') && !/^\w+=\d+$/.test(word));
        const services = verb === 'exec' ? [service] : [service, ...more];
        return services.some(name => name !== undefined && !new RegExp(`^  ${name}:$`, 'm').test(compose));
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('names environment variables that something reads', () => {
    const ofDocker = new Set(['DOCKER_CONTEXT', 'DOCKER_HOST', 'RYUK_CONTAINER_IMAGE', 'TESTCONTAINERS_RYUK_DISABLED']);
    const known = variablesIn([
      'docker-compose.yml',
      'docker-stack.yml',
      'setup/hosts/hub.yml',
      'setup/hosts/machine.yml',
      'Makefile',
      'setup/http-port.sh',
      ...host,
      ...testing,
    ]);
    for (const setting of codeSpansOf(readPage('docs/configuration.md'))) known.add(setting);
    const wrong = each(
      // The one names variables of the past, and the other is made from the definitions.
      pages.filter(({ path }) => path !== 'CHANGELOG.md' && path !== 'docs/configuration.md'),
      page =>
        codeSpansOf(page)
          .filter(code => /^[A-Z][A-Z0-9]*_[A-Z0-9_]+(?:=\S*)?$/.test(code))
          .map(nameOf)
          .filter(name => !known.has(name) && !ofDocker.has(name)),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps to the words of this project', () => {
    const wrong = each(pages, page => oldWordsIn(proseOf(page).replaceAll(/`[^`]+`/g, '')));
    expect(wrong).toEqual([]);
  });
});

it('the sources keep to the words of this project', () => {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx', '*.sh'],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  );
  // The modules of packages, a bench of an older release, and the list of these words.
  const others = /^(?:test\/packages\/modules|bench)\/|pages\.test/;
  const sources = listed.split('\n').filter(path => path !== '' && !others.test(path) && existsSync(join(ROOT, path)));
  expect(sources.flatMap(path => oldWordsIn(read(path)).map(word => `${path}: ${word}`))).toEqual([]);
});

it('architecture.md names files and folders that exist', () => {
  const files = ['protocol', 'shared', 'node-image', 'controller', 'test'].flatMap(folder =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map(path => `/${folder}/${path}`),
  );
  const named = codeSpansOf(readPage('docs/architecture.md')).filter(code =>
    /^[\w./-]+(?:\.(?:ts|mjs|conf|cfg)|\/)$/.test(code),
  );
  const missing = named.filter(path => !existsSync(join(ROOT, path)) && !files.some(file => file.endsWith(`/${path}`)));
  expect(new Set(missing)).toEqual(new Set());
});

describe('TypeScript examples', () => {
  const project = projects();
  const closing: TypeCheck[] = [];
  afterAll(() => Promise.all(closing.map(check => check[Symbol.asyncDispose]())));

  it('have no type errors', async () => {
    const examples = pages.flatMap(page =>
      blocksOf(page)
        // A block that begins with the name of its file is checked where that file lies.
        .filter(({ language, lines }) => language === 'ts' && !/^\/\/ \S+\.ts$/.test(lines[0] ?? ''))
        .map(
          ({ lines }, index) =>
            [`${page.path.replaceAll(/\W/g, '-').toLowerCase()}-${index}`, lines.join('\n')] as const,
        ),
    );
    const sources = Object.fromEntries(examples.map(([name, source]) => [`modules/${name}.ts`, source]));
    const modules = project({ ...sources, 'modules/demo.ts': read('modules/demo.ts') });
    symlinkSync(join(ROOT, 'node_modules'), join(modules, '../node_modules'));
    const typeCheck = new TypeCheck(modules, join(modules, '..'));
    closing.push(typeCheck);
    const found = await typeCheck.check(Promise.resolve(examples.map(([name]) => join(modules, `${name}.ts`))));
    expect(examples.length).toBeGreaterThan(2);
    expect(found.map(({ file, line, text }) => `${file}:${line} ${text}`)).toEqual([]);
  }, 30_000);
});

function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { encoding: 'utf8', recursive: true })
    .filter(file => file.endsWith('.ts'))
    .map(file => `${folder}/${file}`);
}

/** What is wrong in each page, with the page's path. */
function each(all: readonly Page[], wrongIn: (page: Page) => string[]): string[] {
  return all.flatMap(page => wrongIn(page).map(wrong => `${page.path}: ${wrong}`));
}

/**
 * The variables that the files read: `$NAME`, `${NAME:-default}`, in Compose a name that is passed on without a value, and in
 * TypeScript `env['NAME']`.
 */
function variablesIn(paths: readonly string[]): Set<string> {
  const names = paths.flatMap(path => [
    ...read(path).matchAll(/\$[{(]?([A-Z][A-Z0-9_]*)|^ +([A-Z][A-Z0-9_]*):$|env\['([A-Z][A-Z0-9_]*)'\]/gm),
  ]);
  return new Set(names.flatMap(([, ...found]) => found.filter(name => name !== undefined)));
}

/** The name of an assignment: `NODES` of `NODES=3`. */
function nameOf(assignment: string): string {
  return assignment.split('=')[0] ?? '';
}
