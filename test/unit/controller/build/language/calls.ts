import { expect } from 'vitest';

import { compile } from '../../../../../controller/src/build/compile.ts';
import { CodeServer } from '../../../../../node-image/src/modules/code-server.ts';
import { call } from '../../../../../node-image/src/modules/invoke.ts';
import { decodeValue } from '../../../../../protocol/values/decode.ts';
import { recordingLog } from '../../../fixtures.ts';
import { projects } from '../../../projects.ts';
import { PackageNode } from '../packages/package-node.ts';

/** Files by their paths in a project. */
export type Files = Readonly<Record<string, string>>;

/** Returns a function that compiles the module demo of a project, loads it on a node, and gives what a call of its `f` returns. */
export function calls(): (files: Files) => Promise<unknown> {
  const project = projects();
  return async files => {
    const compiled = await compile(project(files), 'demo');
    const { bundle, packages } = compiled;
    if (packages !== null) {
      using node = new PackageNode();
      const { f } = await node.load(compiled);
      return await (f as () => unknown)();
    }
    const server = new CodeServer(recordingLog());
    expect([server.prepare(bundle), server.loadHere(bundle)]).toEqual([{ status: 'ok' }, { status: 'ok' }]);
    const answer = await call(server, 'fred', { module: 'demo', function: 'f', args: [] });
    if (answer.status === 'error') throw new Error(`${answer.type}: ${answer.message}`);
    return decodeValue(answer.json);
  };
}
