import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { CASES, SUBJECTS } from '../../test/packages/cases/all.ts';
import type { Outcome, PackageCase } from '../../test/packages/package-case.ts';
import { MODULES } from '../../test/packages/selected-cases.ts';

// Writes the tables of docs/packages.md, between two comments. With `--check` it only compares, and fails when they are stale.

const PAGE = join(import.meta.dirname, '../packages.md');
const BEGIN = '<!-- Begin: written by `make docs` from test/packages/cases/ -->';
const END = '<!-- End -->';

const COLUMNS = ['Package', 'Version', 'Result', 'What is tried'];

const current = readFileSync(PAGE, 'utf8');
const wanted = await format(withTables(current), { ...(await resolveConfig(PAGE)), parser: 'markdown' });
if (!process.argv.includes('--check')) writeFileSync(PAGE, wanted);
else if (current !== wanted) {
  process.stderr.write('docs/packages.md is stale: run make docs\n');
  process.exitCode = 1;
}

function withTables(page: string): string {
  const [before, rest] = page.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (before === undefined || after === undefined)
    throw new Error(`docs/packages.md needs the lines ${BEGIN} and ${END}`);
  return [before.trimEnd(), BEGIN, tables(), END, after.trimStart()].join('\n\n');
}

/** @throws Error when a module has no case, a case has no module, or a package is not installed. */
function tables(): string {
  const modules = readdirSync(MODULES).flatMap(file => /^(.+)\.ts$/.exec(file)?.[1] ?? []);
  const tried = new Set(CASES.map(({ module }) => module));
  const untried = modules.filter(module => !tried.has(module));
  if (untried.length > 0) throw new Error(`test/packages/cases has no case for ${untried.join(', ')}`);
  const missing = [...tried].filter(module => !modules.includes(module));
  if (missing.length > 0) throw new Error(`test/packages/modules does not have ${missing.join(', ')}`);
  const versions = installedVersions();
  return Object.entries(SUBJECTS)
    .map(([subject, cases]) => [`### ${subject}`, '', ...table(cases, versions)].join('\n'))
    .join('\n\n');
}

function table(cases: readonly PackageCase[], versions: ReadonlyMap<string, string>): string[] {
  const rows = cases.map(({ package: name, does, outcome }) => {
    const version = versions.get(name);
    if (version === undefined) throw new Error(`test/packages/modules/package.json does not have ${name}`);
    return [`\`${name}\``, version, resultOf(outcome), does];
  });
  return [COLUMNS, COLUMNS.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`);
}

function resultOf(outcome: Outcome): string {
  switch (outcome.status) {
    case 'works':
      return outcome.status;
    case 'works with a setting':
      return `works with ${outcome.setting}`;
    case 'refused':
      return `${outcome.status}: ${outcome.instead}`;
  }
}

function installedVersions(): ReadonlyMap<string, string> {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(MODULES, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  return new Map([...Object.entries(dependencies), ...Object.entries(devDependencies)]);
}
