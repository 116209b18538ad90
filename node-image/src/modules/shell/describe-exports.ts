import type { ExportsAnswer } from '../../../../protocol/shell-messages.ts';
import type { CodeServer } from '../code-server.ts';
import type { Version } from '../version.ts';

type ExportedName = ExportsAnswer['modules'][string]['exports'][number];

/** What the modules of this node export now. */
export function describeExports(codeServer: CodeServer): Omit<ExportsAnswer, 'node'> {
  const running = Object.entries(codeServer.describe()).flatMap(([module, { revision, sequence }]) => {
    const version = codeServer.current(module);
    if (version === null) return [];
    const { loadedAt } = version;
    return [[module, { revision, sequence, loadedAt, exports: exportsOf(codeServer, version) }] as const];
  });
  return { modules: Object.fromEntries(running), draining: codeServer.describeDraining() };
}

function exportsOf(codeServer: CodeServer, version: Version): ExportedName[] {
  return version.bundle.exports.map(name => {
    // An export can be a getter of the module's own, which can throw, and a module can give a function another length.
    const length = codeServer.run(version, null, (): unknown => {
      try {
        const value = version.exports[name];
        return typeof value === 'function' ? value.length : null;
      } catch {
        return null;
      }
    });
    return { name, arity: Number.isSafeInteger(length) ? Math.max(0, Number(length)) : null };
  });
}
