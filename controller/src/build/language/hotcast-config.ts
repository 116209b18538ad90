import { isAbsolute, join, normalize, relative } from 'node:path';

import type { Expression, Program } from 'acorn';
import { transform } from 'esbuild';
import * as v from 'valibot';

import { UsageError } from '../../../../protocol/errors.ts';
import { FIRST_SERVICE } from '../../../../protocol/names.ts';
import { packageName } from '../../../../protocol/packages.ts';
import { groupName, type Groups } from '../../../../protocol/placement/groups.ts';
import { moduleName } from '../../../../protocol/schemas.ts';
import type { Config } from '../../../../types/config.d.ts';
import type { SourceSnapshot } from '../sources/source-snapshot.ts';
import { syntaxTreeOf } from '../syntax-tree.ts';
import { literalValue } from './literal.ts';

/** The project's configuration. */
export interface HotcastConfig {
  /** The names of packages that the nodes' image has. */
  readonly external: ReadonlySet<string>;
  /** The modules folder, relative to the folder of the file; null when it does not say. */
  readonly modules: string | null;
  /** The modules of each group, the first one first; empty: there are no groups. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** The path of the file; none when there is no such file. */
  readonly files: readonly string[];
}

const SETTINGS = {
  external: v.optional(v.array(packageName), []),
  modules: v.optional(v.pipe(v.string(), v.check(isInside))),
  groups: v.optional(v.record(groupName, v.array(moduleName)), {}),
} satisfies Record<keyof Config, v.GenericSchema>;

/** What each setting has to be, for errors. */
const EXPECTED: Readonly<Record<keyof Config, string>> = {
  external: "a list of names of packages, as ['sharp']",
  modules: "a folder in the project, as 'src/modules'",
  groups: "a list of modules for each group, as { web: ['demo'], worker: ['ticker'] }",
};

/**
 * Reads the hotcast.config.ts of a project, which lies in its folder or in the modules folder. Its code does not run: the configuration has to be written out in it.
 *
 * @throws UsageError when there are two, when it can't be read so, or has a setting that does not exist or has another type.
 */
export async function readConfig(modulesDir: string, snapshot: SourceSnapshot): Promise<HotcastConfig> {
  const nameOf = (path: string): string => relative(snapshot.root, path);
  const paths = [...new Set([snapshot.root, modulesDir])].map(folder => join(folder, 'hotcast.config.ts'));
  const [path, other] = paths.filter(each => snapshot.text(each) !== null);
  if (path === undefined) return { external: new Set(), modules: null, groups: new Map(), files: [] };
  if (other !== undefined) {
    throw new UsageError(`there are both ${nameOf(path)} and ${nameOf(other)}: remove one; nothing was sent`);
  }
  const refuse = (why: string): never => {
    throw new UsageError(`${nameOf(path)} ${why}; nothing was sent`);
  };
  const content = contentOf(await toJavaScript(snapshot.text(path) ?? '', refuse));
  if (content === null) {
    return refuse(
      "needs export default defineConfig({ … }) with values that are written out, as external: ['sharp']: it is read, and does not run",
    );
  }
  for (const name of Object.keys(content)) {
    if (!Object.hasOwn(SETTINGS, name)) {
      refuse(`has ${name}, which is no setting: the settings are ${Object.keys(SETTINGS).join(', ')}`);
    }
  }
  const { success, output, issues } = v.safeParse(v.object(SETTINGS), content);
  if (success) {
    const { external, modules = null, groups } = output;
    if (Object.keys(groups).indexOf(FIRST_SERVICE) > 0) {
      refuse(
        `has the group ${FIRST_SERVICE} after another one: the nodes of the service ${FIRST_SERVICE} are the first group`,
      );
    }
    return { external: new Set(external), modules, groups: new Map(Object.entries(groups)), files: [path] };
  }
  const name = v.getDotPath(issues[0])?.split('.')[0] ?? '';
  return refuse(`has ${name} that is not ${(EXPECTED as Readonly<Record<string, string>>)[name] ?? 'right'}`);
}

/** The groups that a module goes to; null: all nodes, because no group lists it. */
export function groupsFor({ groups }: Pick<HotcastConfig, 'groups'>, module: string): Groups | null {
  const names = [...groups].flatMap(([name, modules]) => (modules.includes(module) ? [name] : []));
  const [first] = groups.keys();
  return names.length === 0 ? null : { names, first: first !== undefined && names.includes(first) };
}

async function toJavaScript(text: string, refuse: (why: string) => never): Promise<Program | null> {
  try {
    return syntaxTreeOf((await transform(text, { loader: 'ts', target: 'esnext', logLevel: 'silent' })).code);
  } catch (error) {
    if (!(error instanceof Error && 'errors' in error)) throw error;
    const [first] = error.errors as { readonly text: string; readonly location: { readonly line: number } | null }[];
    return refuse(`does not compile: ${first?.text ?? error.message} (line ${first?.location?.line ?? 1})`);
  }
}

function isInside(folder: string): boolean {
  return folder !== '' && !isAbsolute(folder) && !normalize(folder).startsWith('..');
}

/** The object of `export default { … }` or `export default defineConfig({ … })`; null for anything else. */
function contentOf(program: Program | null): object | null {
  const [only, ...others] = (program?.body ?? []).flatMap(each =>
    each.type === 'ExportDefaultDeclaration' ? [each.declaration as Expression] : [],
  );
  if (only === undefined || others.length > 0) return null;
  const isCall =
    only.type === 'CallExpression' && only.callee.type === 'Identifier' && only.callee.name === 'defineConfig';
  const object = isCall ? only.arguments[0] : only;
  if (object?.type !== 'ObjectExpression') return null;
  try {
    return literalValue(object, true) as object;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
