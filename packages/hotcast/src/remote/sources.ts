import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { UsageError } from '../../../../protocol/errors.ts';
import type { LocalSources } from '../../../../controller/src/build/remote/local-sources.ts';
import type { AnswerQuestion } from './remote-line.ts';

/** What compiles and checks modules. It is large, and a command that sends no sources does without. */
const COMPILERS = 'esbuild@0.28.2 oxc-transform@0.151.0 typescript@7.0.2 @types/node';

/** The types of `import.meta.hot` and of `hot:` imports: those of this package, or in a clone of the repository. */
const TYPES = ['../types', '../../../types'];

/** Answers what a controller asks of the sources of a project. They are opened when it asks for the first time. */
export function sourcesIn(folder: string): AnswerQuestion {
  let opened: Promise<LocalSources> | null = null;
  return async (question, say) => (await (opened ??= open(folder))).answer(question, say);
}

async function open(folder: string): Promise<LocalSources> {
  try {
    const { openSources } = await import('../../../../controller/src/build/remote/local-sources.ts');
    return await openSources(folder, withTypes());
  } catch (cause) {
    const [, missing] = /Cannot find package '([^']+)'/.exec(String(cause)) ?? [];
    if (missing === undefined) throw cause;
    const install = `npm install --save-dev ${COMPILERS}`;
    throw new UsageError(`a push from here compiles here, and there is no ${missing}: ${install}; nothing was sent`, {
      cause,
    });
  }
}

/** A folder in which the type check finds these types under their own name. It goes with this process. */
function withTypes(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hotcast-types-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const types = TYPES.map(path => join(import.meta.dirname, path)).find(path => existsSync(join(path, 'hot.d.ts')));
  mkdirSync(join(folder, 'node_modules/@hotcast'), { recursive: true });
  if (types !== undefined) symlinkSync(types, join(folder, 'node_modules/@hotcast/types'));
  return folder;
}
