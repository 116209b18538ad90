// A plugin for oxlint that checks the imports against rules.mjs. Type imports and import() count too.
import { readdirSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';

import { importRules, MAX_FILES_PER_FOLDER } from './rules.mjs';

/** A path from the root of the project for a file, `npm:<package>` for a package. */
function target(specifier, file) {
  if (specifier.startsWith('.')) return join(dirname(file), specifier).replaceAll(sep, '/');
  const [scope, name] = specifier.split('/');
  return `npm:${scope.startsWith('@') ? `${scope}/${name}` : scope}`;
}

/** The names that an import or export takes from a module; undefined for the module as a whole. */
function namesOf(node) {
  if (node.type === 'ExportNamedDeclaration') return node.specifiers.map(({ local }) => local.name ?? local.value);
  if (node.type !== 'ImportDeclaration') return undefined;
  const named = node.specifiers.filter(({ type }) => type === 'ImportSpecifier');
  if (named.length < node.specifiers.length) return undefined;
  return named.map(({ imported }) => imported.name ?? imported.value);
}

const forbiddenImport = {
  meta: { type: 'problem', docs: { description: 'Forbids the imports that rules.mjs names.' } },
  create(context) {
    const file = relative(context.cwd, context.filename).replaceAll(sep, '/');
    const rules = importRules.filter(({ from }) => from.test(file));

    function check(node) {
      if (typeof node.source?.value !== 'string') return;
      const imported = target(node.source.value, file);
      for (const { name, why, to, names } of rules) {
        if (!to.test(imported)) continue;
        if (names !== undefined && namesOf(node)?.some(each => names.includes(each)) === false) continue;
        context.report({ node: node.source, message: `${name}: must not import ${imported}. ${why}` });
      }
    }

    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    };
  },
};

const folderSize = {
  meta: { type: 'problem', docs: { description: 'Limits the number of TypeScript files in a folder.' } },
  create: context => ({
    Program(node) {
      const folder = dirname(context.filename);
      const files = readdirSync(folder)
        .filter(file => /\.tsx?$/.test(file))
        .toSorted();
      if (files.length <= MAX_FILES_PER_FOLDER || files[0] !== basename(context.filename)) return;
      const name = relative(context.cwd, folder);
      const message = `folder-size: ${name} has ${files.length} TypeScript files; more than ${MAX_FILES_PER_FOLDER} need folders of their own.`;
      context.report({ node, message });
    },
  }),
};

export default {
  meta: { name: 'layers' },
  rules: { 'forbidden-import': forbiddenImport, 'folder-size': folderSize },
};
