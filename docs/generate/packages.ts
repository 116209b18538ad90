import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { CASES, SUBJECTS } from '../../test/packages/cases/all.ts';
import type { PackageCase } from '../../test/packages/package-case.ts';
import { readResults, type TestResult } from '../../test/packages/results.ts';
import { wantedVersions, MODULES } from '../../test/packages/selected-cases.ts';

// Writes the tables of docs/packages.md, between two comments, from the results of the last `make test-packages`. With `--check` it only
// compares, and fails when they are stale.

const PAGE = join(import.meta.dirname, '../packages.md');
const BEGIN = '<!-- Begin: written by `make docs` from test/packages/results.json -->';
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

/** @throws Error when a module has no case, a case has no module, or no result with the version that is installed now. */
function tables(): string {
  const modules = readdirSync(MODULES).flatMap(file => /^(.+)\.ts$/.exec(file)?.[1] ?? []);
  const tried = new Set(CASES.map(({ module }) => module));
  const untried = modules.filter(module => !tried.has(module));
  if (untried.length > 0) throw new Error(`test/packages/cases has no case for ${untried.join(', ')}`);
  const missing = [...tried].filter(module => !modules.includes(module));
  if (missing.length > 0) throw new Error(`test/packages/modules does not have ${missing.join(', ')}`);
  const results = readResults();
  const versions = wantedVersions();
  const untested = CASES.filter(each => results[each.module]?.version !== versions.get(each.package));
  const names = untested.map(({ module }) => module).join(',');
  if (names !== '') throw new Error(`packages were not tested in their version: make test-packages ONLY=${names}`);
  return Object.entries(SUBJECTS)
    .map(([subject, cases]) => [`### ${subject}`, '', ...table(cases, results)].join('\n'))
    .join('\n\n');
}

function table(cases: readonly PackageCase[], results: Readonly<Record<string, TestResult>>): string[] {
  const rows = cases.flatMap(each => {
    const tested = results[each.module];
    return tested === undefined ? [] : [[`\`${each.package}\``, tested.version, textOf(tested, each), each.does]];
  });
  return [COLUMNS, COLUMNS.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`);
}

function textOf({ result }: TestResult, { outcome }: PackageCase): string {
  if (result === 'works' && outcome.status === 'works with a setting') return `works with ${outcome.setting}`;
  if (result === 'refused' && outcome.status === 'refused') return `refused: ${outcome.instead}`;
  return result;
}
